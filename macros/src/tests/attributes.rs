//! What the other attributes on a function are recognised as.

use syn::parse::Parser;
use syn::Attribute;

use crate::attributes::{has_test_attribute, should_panic};

fn parse(attributes: &str) -> Vec<Attribute> {
    Attribute::parse_outer.parse_str(attributes).unwrap()
}

#[test]
fn rstest_should_panic_applies_to_the_case_below() {
    for (attributes, expected) in [
        ("#[rstest] #[case(1)] #[should_panic] #[case::two(2)]", false),
        ("#[should_panic] #[case(1)] #[should_panic] #[case(2)]", true),
        ("#[case(1)] #[case(2)] #[should_panic]", true),
        ("#[rstest]", false),
    ] {
        assert_eq!(should_panic(&parse(attributes)), expected, "{attributes}");
    }
}

#[test]
fn test_attributes_are_recognised_by_name() {
    for attribute in [
        "#[test]",
        "#[::core::prelude::v1::test]",
        "#[tokio::test(flavor = \"multi_thread\")]",
        "#[rstest]",
        "#[test_case(1)]",
        "#[proptest]",
        "#[bench]",
    ] {
        assert!(has_test_attribute(&parse(attribute)), "{attribute}");
    }
    for attribute in [
        "#[ignore]",
        "#[tokio::main]",
        "#[testing]",
        "#[doc = \"test\"]",
        "#[cfg(test)]",
    ] {
        assert!(!has_test_attribute(&parse(attribute)), "{attribute}");
    }
}

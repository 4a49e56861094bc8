//! What the other attributes on the function mean for the expansion. Those in a `cfg_attr` come as themselves, or not at all:
//! rustc resolves it before it expands any attribute of the same item.

use syn::{Attribute, Path};

/// Whether one of these attributes makes the function a test, or a benchmark.
///
/// An attribute macro knows another only by its name, so it is the last segment of the path that counts: one that ends
/// in `test` (`test`, `tokio::test`, `rstest`, `proptest`, `wasm_bindgen_test`), begins with `test_` (`test_case`,
/// `test_matrix`), or is `bench`, `quickcheck` or `apply` (`rstest_reuse`). Too wide rather than too narrow: rustc
/// reports a function taken for a test by mistake as unused, while one not recognised could not be used at all.
pub(crate) fn has_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter_map(|attribute| name_of(attribute.path()))
        .any(|name| {
            name.ends_with("test")
                || name.starts_with("test_")
                || ["bench", "quickcheck", "apply"].contains(&name.as_str())
        })
}

/// Whether these are all known to leave parameters alone, so that one that nobody fills is an error.
pub(crate) fn fill_nothing(attributes: &[Attribute]) -> bool {
    const BUILT_IN: [&str; 6] = ["test", "ignore", "should_panic", "doc", "cfg", "track_caller"];
    attributes.iter().all(|attribute| {
        let path = attribute.path();
        is_lint(attribute)
            || BUILT_IN.iter().any(|name| path.is_ident(name))
            || path.segments.iter().map(|segment| &segment.ident).eq(["tokio", "test"])
    })
}

/// Whether the test is one that `#[should_panic]`.
///
/// In `rstest`, one in front of a `#[case]` is about that case alone. Which case runs can't be seen from inside the
/// function; it need not be unless all of them are to panic, as a failed set-up turns the others red.
pub(crate) fn should_panic(attributes: &[Attribute]) -> bool {
    let mut since_last_case = false;
    let (mut cases, mut panicking_cases) = (0, 0);
    for path in attributes.iter().map(Attribute::path) {
        let is_case = (path.segments.first()).is_some_and(|segment| segment.ident == "case");
        if is_case {
            cases += 1;
            panicking_cases += usize::from(std::mem::take(&mut since_last_case));
        }
        since_last_case |= path.is_ident("should_panic");
    }
    since_last_case || (cases > 0 && cases == panicking_cases)
}

/// Whether the attribute only sets the level of lints.
pub(crate) fn is_lint(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|level| attribute.path().is_ident(level))
}

/// The last segment of an attribute's path: all that it is known by.
pub(crate) fn name_of(path: &Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.to_string())
}

//! What the other attributes on a function or a parameter mean for the expansion.
//!
//! A `cfg_attr` on the function is never seen: rustc resolves it before it expands any attribute.

use syn::{Attribute, Path};

/// Whether one of these attributes makes the function a test or a benchmark.
///
/// A macro can't resolve the path of an attribute, so only its last segment counts: it ends in
/// `test` (`test`, `tokio::test`, `rstest`, `proptest`, `wasm_bindgen_test`), begins with `test_`
/// (`test_case`, `test_matrix`), or is `bench`, `quickcheck` or `apply` (`rstest_reuse`).
///
/// The list errs on the wide side: if it mistakes a function for a test, rustc reports the function
/// as unused, but a test attribute that it misses can't be used at all.
pub(crate) fn has_test_attribute(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter_map(|attribute| last_name(attribute.path()))
        .any(|name| {
            name.ends_with("test")
                || name.starts_with("test_")
                || ["bench", "quickcheck", "apply"].contains(&name.as_str())
        })
}

/// Whether all of these attributes are known not to fill any parameter.
pub(crate) fn fill_no_parameters(attributes: &[Attribute]) -> bool {
    const BUILT_IN: [&str; 6] = ["test", "ignore", "should_panic", "doc", "cfg", "track_caller"];
    attributes.iter().all(|attribute| {
        let path = attribute.path();
        is_lint(attribute)
            || BUILT_IN.iter().any(|name| path.is_ident(name))
            || path.segments.iter().map(|segment| &segment.ident).eq(["tokio", "test"])
    })
}

/// Whether the test passes only if it panics.
///
/// In `rstest`, `#[should_panic]` above a `#[case]` applies to that case only, and the function
/// can't tell which case it runs. So the test counts as panicking only if all of its cases do: in a
/// mixed test, a daemon that does not start still fails the other cases.
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

/// Whether the attribute sets the level of a lint.
pub(crate) fn is_lint(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|level| attribute.path().is_ident(level))
}

pub(crate) fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

pub(crate) fn last_name(path: &Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.to_string())
}

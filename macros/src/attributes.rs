//! What the other attributes on the function mean for the expansion.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Meta, Path};

/// Whether a panic of the test is what it is for.
pub(crate) enum ShouldPanic {
    No,
    Yes,
    /// Where this `cfg` predicate holds.
    If(TokenStream),
}

/// Whether one of these attributes makes the function a test, or a benchmark.
///
/// An attribute macro knows another only by its name, so it is the last segment of the path that counts: one that ends
/// in `test` (`test`, `tokio::test`, `rstest`, `proptest`, `wasm_bindgen_test`), begins with `test_` (`test_case`,
/// `test_matrix`), or is `bench`, `quickcheck` or `apply` (`rstest_reuse`). Too wide rather than too narrow: rustc
/// reports a function taken for a test by mistake as unused, while one not recognised could not be used at all.
pub(crate) fn has_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .flat_map(|attribute| names(&attribute.meta, None))
        .any(|(_, name)| {
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

/// What `#[should_panic]` says about the test.
///
/// In `rstest`, one in front of a `#[case]` is about that case alone. Which case runs can't be seen from inside the
/// function; it need not be unless all of them are to panic, as a failed set-up turns the others red.
pub(crate) fn should_panic(attributes: &[Attribute]) -> ShouldPanic {
    let mut since_last_case = ShouldPanic::No;
    let (mut cases, mut panicking_cases) = (0, 0);
    for attribute in attributes {
        let first_segment = attribute.path().segments.first();
        if first_segment.is_some_and(|segment| segment.ident == "case") {
            cases += 1;
            panicking_cases += usize::from(matches!(since_last_case, ShouldPanic::Yes));
            since_last_case = ShouldPanic::No;
        }
        for (condition, name) in names(&attribute.meta, None) {
            if name == "should_panic" {
                since_last_case = condition.map_or(ShouldPanic::Yes, ShouldPanic::If);
            }
        }
    }
    match since_last_case {
        ShouldPanic::No if cases > 0 && cases == panicking_cases => ShouldPanic::Yes,
        other => other,
    }
}

/// Whether the attribute only sets the level of lints.
pub(crate) fn is_lint(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|level| attribute.path().is_ident(level))
}

/// The last segment of the attribute's name, or of the names of those that a `cfg_attr` stands for, each with the
/// predicate it depends on.
fn names(meta: &Meta, condition: Option<TokenStream>) -> Vec<(Option<TokenStream>, String)> {
    let Some(list) = meta.require_list().ok().filter(|list| list.path.is_ident("cfg_attr")) else {
        return name_of(meta.path()).map(|name| (condition, name)).into_iter().collect();
    };
    let mut parts = split_at_commas(list.tokens.clone()).into_iter();
    let own = parts.next().unwrap_or_default();
    let condition = match condition {
        Some(outer) => quote!(all(#outer, #own)),
        None => own,
    };
    parts
        .filter_map(|part| syn::parse2::<Meta>(part).ok())
        .flat_map(|meta| names(&meta, Some(condition.clone())))
        .collect()
}

/// The last segment of an attribute's path: all that it is known by.
pub(crate) fn name_of(path: &Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.to_string())
}

fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => parts.push(TokenStream::new()),
            (_, Some(part)) => part.extend([token]),
            (_, None) => {}
        }
    }
    parts
}

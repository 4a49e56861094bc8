//! The tokens and errors of expansions. That the tokens compile and work is tested in the crate
//! `managed-daemons-tests`.

mod attributes;
mod errors;
mod tokens;

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use crate::expand::expand;
use crate::DaemonKind;

const TEST: &str = "#[test] fn t(redis: RedisDaemon) {}";

fn tokens_of(source: &str) -> TokenStream {
    TokenStream::from_str(source).unwrap()
}

fn expand_attribute(attribute: &str, args: &str, item: &str) -> TokenStream {
    let kind = DaemonKind::of_attribute(attribute).unwrap();
    expand(kind, tokens_of(args), tokens_of(item))
}

fn expand_redis(args: &str, item: &str) -> String {
    without_spaces(&expand_attribute("with_redis", args, item))
}

/// The source in the form of `expand_redis`, for comparison.
fn normalized(source: &str) -> String {
    without_spaces(&tokens_of(source))
}

/// The spaces between printed tokens depend on where the tokens come from.
fn without_spaces(tokens: &TokenStream) -> String {
    tokens.to_string().replace(char::is_whitespace, "")
}

#[track_caller]
fn assert_contains(expansion: &str, part: &str) {
    assert!(expansion.contains(&normalized(part)), "no `{part}` in {expansion}");
}

/// All tokens, each group followed by its content.
fn flatten(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flat = Vec::new();
    for token in tokens {
        flat.push(token.clone());
        if let TokenTree::Group(group) = token {
            flat.extend(flatten(group.stream()));
        }
    }
    flat
}

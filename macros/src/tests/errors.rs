//! The compile errors: what they say, and where they point.

use proc_macro2::TokenTree;

use super::{expand_attribute, flatten, TEST};

/// The errors of an expansion: the source that each points at, and its message. The source is empty
/// for the attribute that is being expanded.
fn errors_of(attribute: &str, args: &str, item: &str) -> Vec<(String, String)> {
    let tokens = flatten(expand_attribute(attribute, args, item));
    tokens
        .windows(4)
        .filter_map(|tokens| match tokens {
            [TokenTree::Ident(name), _, group, message] if name == "compile_error" => {
                let span = name.span().join(group.span());
                let source = span.and_then(|span| span.source_text()).unwrap_or_default();
                let message: syn::LitStr = syn::parse_str(&message.to_string()).unwrap();
                Some((source, message.value()))
            }
            _ => None,
        })
        .collect()
}

#[track_caller]
fn assert_errors(args: &str, item: &str, expected: &[(&str, &str)]) {
    assert_errors_of("with_redis", args, item, expected);
}

/// Expects these sources, and messages that begin with these words.
#[track_caller]
fn assert_errors_of(attribute: &str, args: &str, item: &str, expected: &[(&str, &str)]) {
    let found = errors_of(attribute, args, item);
    let matches = found.len() == expected.len()
        && (found.iter().zip(expected))
            .all(|((source, message), expected)| source == expected.0 && message.starts_with(expected.1));
    assert!(matches, "expected {expected:#?}, found {found:#?}");
}

#[test]
fn a_parameter_is_found_by_the_last_name_of_its_type() {
    for ty in [
        "RedisDaemon",
        "&RedisDaemon",
        "&'static mut a::b::RedisDaemon",
        "(RedisDaemon)",
    ] {
        assert_errors("", &format!("#[test] fn t(redis: {ty}) {{}}"), &[]);
    }
    let message = "no parameter of type `RedisDaemon` for `#[with_redis]` to fill: \
                   add `redis: RedisDaemon` (or `&RedisDaemon`, `&mut RedisDaemon`); \
                   to fill `redis`, write `#[with_redis(arg = redis)]`";
    for ty in [
        "Redis",
        "Option<RedisDaemon>",
        "&&RedisDaemon",
        "RedisDaemon::X",
        "[RedisDaemon; 1]",
    ] {
        assert_errors("", &format!("#[test] fn t(redis: {ty}) {{}}"), &[("", message)]);
    }
}

#[test]
fn every_malformed_argument_is_reported() {
    let expected = "expected a method of the builder (`option`, `option = value` or `option(value, …)`)";
    assert_errors(
        r#"password "x", 3 + 4, good = 1, crate, arg = 5, pair(1 2), password =, a::b = 3, arg(r)"#,
        TEST,
        &[
            ("\"x\"", expected),
            ("3", expected),
            ("crate", "write `crate = path`"),
            ("5", "write `arg = parameter`"),
            ("2", "expected `,`"),
            ("password", "expected a value after `password =`"),
            (":", expected),
            ("(", "write `arg = parameter`"),
        ],
    );
    assert_errors("arg = redis, arg = redis", TEST, &[("arg", "`arg` is given twice")]);
    assert_errors("crate = \"x\"", TEST, &[("\"x\"", "write `crate = path`")]);
    assert_errors(
        "",
        "#[with_redis = \"x\"] #[test] fn t(a: RedisDaemon, b: RedisDaemon) {}",
        &[("with_redis = \"x\"", "options go in parentheses: `#[with_redis(…)]`")],
    );
}

#[test]
fn with_daemon_needs_a_type() {
    let message = "`#[with_daemon]` needs the daemon's type first";
    for (args, source) in [
        ("", ""),
        ("mode = 1", "mode"),
        ("mode(1)", "mode"),
        ("\"x\", a = 1", "\"x\""),
        ("&X", "&"),
    ] {
        let item = "#[test] fn t(d: MyDaemon) {}";
        assert_errors_of("with_daemon", args, item, &[(source, message)]);
    }
}

#[test]
fn a_parameter_is_filled_exactly_once() {
    assert_errors(
        "",
        "#[with_redis(port = 1)] #[test] fn t(redis: RedisDaemon) {}",
        &[(
            "#[with_redis(port = 1)]",
            "other attributes already fill every parameter of type `RedisDaemon`",
        )],
    );
    assert_errors(
        "arg = a",
        "#[with_redis(arg = a)] #[test] fn t(a: RedisDaemon) {}",
        &[("a", "another attribute already fills `a`")],
    );
    assert_errors(
        "arg = a",
        "#[rstest] fn t(#[values(1)] a: RedisDaemon) {}",
        &[("a", "`#[values]` already fills `a`")],
    );
    assert_errors(
        "",
        "#[test] fn t(a: RedisDaemon, b: &RedisDaemon) {}",
        &[("b", "nothing fills this parameter: add another `#[with_redis]`")],
    );
    // An unknown attribute may be one of ours under another name, or fill parameters itself.
    assert_errors("", "#[other] #[test] fn t(a: RedisDaemon, b: &RedisDaemon) {}", &[]);
}

#[test]
fn an_unknown_parameter_name_is_reported() {
    assert_errors("arg = x", TEST, &[("x", "no parameter `x`: the function has `redis`")]);
    assert_errors(
        "arg = x",
        "#[test] fn t() {}",
        &[("x", "no parameter `x`: the function has no named parameter")],
    );
}

#[test]
fn an_item_that_is_not_a_test_function_is_reported() {
    let goes_on = "`#[with_redis]` goes on a test: a function with a body";
    assert_errors("", "#[test] struct X;", &[("struct", goes_on)]);
    assert_errors("", "#[test] const X: u8 = 1;", &[("const", goes_on)]);
    assert_errors("", "#[test] fn method();", &[("method", goes_on)]);
    assert_errors(
        "",
        "#[test] fn t(&self, a: RedisDaemon) {}",
        &[("&self", "a test has no `self`")],
    );
    assert_errors(
        "",
        "#[test] fn t(#[cfg(unix)] a: RedisDaemon) {}",
        &[("#[cfg(unix)]", "a parameter can't be conditional here")],
    );
}

#[test]
fn a_missing_test_attribute_is_shown_in_its_place() {
    assert_errors(
        "",
        "async fn t(cache: RedisDaemon) {}",
        &[(
            "",
            "`#[with_redis]` needs a test attribute below it:\n\n    #[with_redis]\n    \
             #[tokio::test]\n    async fn t(redis: RedisDaemon) { … }",
        )],
    );
}

#[test]
fn daemons_that_wait_for_each_other_are_reported() {
    assert_errors_of(
        "with_command",
        "\"a\", env(\"X\", b.url(\"http\")), arg = a",
        "#[with_command(\"b\", env(\"X\", a.url(\"http\")), arg = b)] #[test]
         fn t(a: CommandDaemon, b: CommandDaemon) {}",
        &[
            ("", "`#[with_command]` waits for itself"),
            (
                "#[with_command(\"b\", env(\"X\", a.url(\"http\")), arg = b)]",
                "`#[with_command]` waits for itself",
            ),
        ],
    );
}

#[test]
fn a_command_needs_a_program() {
    let item = "#[test] fn t(command: CommandDaemon) {}";
    assert_errors_of(
        "with_command",
        "",
        item,
        &[("", "`#[with_command]` needs the program first")],
    );
    let advice =
        "write `arg = parameter`, with the name of the parameter to fill; what the program gets goes into `args(…)`";
    assert_errors_of("with_command", "\"x\", arg(\"-v\")", item, &[("(", advice)]);
    assert_errors_of("with_command", "program = \"x\"", item, &[]);
    assert_errors_of("with_command", "PROGRAM, ready_tcp", item, &[]);
}

//! The expansion, token by token; that it compiles and works is for the `tests` member to show.

use std::str::FromStr;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

use crate::attributes::{has_test, should_panic};
use crate::expand::expand;
use crate::signature::Function;
use crate::Daemon;

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

fn expansion(attribute: &str, args: &str, item: &str) -> TokenStream {
    expand(Daemon::named(attribute).unwrap(), tokens(args), tokens(item))
}

fn expanded(args: &str, item: &str) -> String {
    without_spaces(expansion("with_redis", args, item))
}

/// As `expanded` prints, so that the two can be compared.
fn printed(text: &str) -> String {
    without_spaces(tokens(text))
}

/// How tokens are set apart depends on where they come from.
fn without_spaces(tokens: TokenStream) -> String {
    tokens.to_string().replace(char::is_whitespace, "")
}

/// The errors of an expansion, each with the source it points at, which is nothing for the whole attribute.
fn errors_of(attribute: &str, args: &str, item: &str) -> Vec<(String, String)> {
    fn flat(tokens: TokenStream, into: &mut Vec<TokenTree>) {
        for token in tokens {
            let inner = match &token {
                TokenTree::Group(group) => Some(group.stream()),
                _ => None,
            };
            into.push(token);
            inner.into_iter().for_each(|inner| flat(inner, into));
        }
    }
    let mut all = Vec::new();
    flat(expansion(attribute, args, item), &mut all);
    let name = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "compile_error");
    (0..all.len())
        .filter(|at| name(&all[*at]))
        .map(|at| {
            // `compile_error`, `!`, the group, and in it the message.
            let (start, end) = (all[at].span(), all[at + 2].span());
            let message: syn::LitStr = syn::parse_str(&all[at + 3].to_string()).unwrap();
            let whole = start.join(end).and_then(|span: Span| span.source_text());
            (whole.unwrap_or_default(), message.value())
        })
        .collect()
}

#[track_caller]
fn assert_errors(args: &str, item: &str, expected: &[(&str, &str)]) {
    assert_errors_of("with_redis", args, item, expected);
}

/// The messages are given by how they begin.
#[track_caller]
fn assert_errors_of(attribute: &str, args: &str, item: &str, expected: &[(&str, &str)]) {
    let found = errors_of(attribute, args, item);
    let as_expected = found.len() == expected.len()
        && (found.iter().zip(expected))
            .all(|((at, message), (expected_at, start))| at == expected_at && message.starts_with(start));
    assert!(as_expected, "expected {expected:#?}, found {found:#?}");
}

const TEST: &str = "#[test] fn t(redis: RedisDaemon) {}";

#[test]
fn the_function_stays_and_is_called_with_the_daemon() {
    assert_eq!(
        expanded(
            "",
            "/// Doc.\n#[test] pub(crate) fn t(mut redis: RedisDaemon) -> R { body(); }"
        ),
        printed(
            "/// Doc.
            #[test] pub(crate) fn t() -> R {
                let daemon_0 = ::managed_daemons::attribute::start(
                    <::managed_daemons::RedisDaemon>::builder()
                );
                {
                    #[allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, clippy::unused_async)]
                    fn t(mut redis: RedisDaemon) -> R { body(); }
                    t(daemon_0)
                }
            }"
        )
    );
}

#[test]
fn what_others_fill_stays_outside_with_its_attributes() {
    let found = expanded(
        "arg = r",
        "#[rstest] async fn t<'a, T: Copy>(#[case] mut n: T, r: &'a mut Alias, #[allow(x)] #[values(1)] (a, b): P) {}",
    );
    let outer = "async fn t<T: Copy>(#[case] n: T, #[values(1)] __arg_2: P)";
    let inner = "async fn t<'a, T: Copy>(mut n: T, r: &'a mut Alias, #[allow(x)] (a, b): P)";
    let call = "t::<T>(argument_0, &mut daemon_0, argument_2).await";
    for part in [outer, inner, call, "let mut daemon_0 ="] {
        assert!(found.contains(&printed(part)), "no `{part}` in {found}");
    }
}

#[test]
fn several_start_together_in_the_order_of_the_attributes() {
    let found = expanded(
        "port = 1",
        "#[ignore] #[with_redis(port = 2)] #[test] #[managed_daemons::with_daemon(Mine)]
         fn t(m: &x::Mine, a: RedisDaemon, b: &RedisDaemon) {}",
    );
    let statements = "
        let starting_0 = ::managed_daemons::attribute::begin(
            <::managed_daemons::RedisDaemon>::builder().port(1)
        );
        let starting_1 = ::managed_daemons::attribute::begin(
            <::managed_daemons::RedisDaemon>::builder().port(2)
        );
        let starting_2 = ::managed_daemons::attribute::begin(<Mine>::builder());
        let daemon_0 = starting_0.finish();
        let daemon_1 = starting_1.finish();
        let daemon_2 = starting_2.finish();";
    assert!(found.contains(&printed(statements)), "{found}");
    assert!(found.contains(&printed("t(&daemon_2, daemon_0, &daemon_1)")), "{found}");
    assert!(found.starts_with(&printed("#[ignore] #[test] fn t()")), "{found}");

    // Their names have to be used, or the imports would be reported as unused.
    let mention = "#[allow(unused_imports)] use managed_daemons::with_daemon as _;";
    assert!(found.contains(&printed(mention)), "{found}");
}

#[test]
fn options_are_builder_methods_in_their_order() {
    let found = expanded(
        r#"a = f::<A, B>(x?), b(1, "2"), c, b(3, 4), d(), crate = my::md,"#,
        TEST,
    );
    let call = r#"my::md::attribute::start(
        <my::md::RedisDaemon>::builder().a(f::<A, B>(x?)).b(1, "2").c().b(3, 4).d()
    )"#;
    assert!(found.contains(&printed(call)), "{found}");
}

#[test]
fn options_keep_their_places() {
    let mut places = Vec::new();
    let mut rest = vec![expansion("with_redis", r#"password = "a" , flag , pair ( 1 )"#, TEST)];
    while let Some(tokens) = rest.pop() {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for pair in tokens.windows(2) {
            if let [TokenTree::Ident(method), TokenTree::Group(arguments)] = pair {
                places.push((
                    method.to_string(),
                    method.span().source_text().unwrap_or_default(),
                    arguments.span().source_text().unwrap_or_default(),
                ));
            }
        }
        rest.extend(tokens.into_iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        }));
    }
    for (method, arguments) in [("password", "\"a\""), ("flag", "flag"), ("pair", "( 1 )")] {
        let expected = (method.to_owned(), method.to_owned(), arguments.to_owned());
        assert!(places.contains(&expected), "no {expected:?} in {places:?}");
    }
}

#[test]
fn a_test_that_should_panic_returns_when_the_daemon_does_not_start() {
    let is_tried = |item: &str| expanded("", item).contains("try_start");
    assert!(is_tried(
        "#[test] #[should_panic(expected = \"x\")] fn t(r: RedisDaemon) {}"
    ));
    assert!(is_tried("#[should_panic] #[test] fn t(r: RedisDaemon) -> () {}"));
    assert!(!is_tried(
        "#[should_panic] #[test] fn t(r: RedisDaemon) -> Result<(), E> {}"
    ));
    assert!(!is_tried(TEST));
}

#[test]
fn in_rstest_should_panic_belongs_to_the_case_below_it() {
    let says = |attributes: &str| {
        let parser = |input: ParseStream<'_>| Function::parse(input, "x");
        let function = parser.parse_str(&format!("{attributes} fn t() {{}}")).unwrap();
        should_panic(&function.attributes)
    };
    assert!(!says("#[rstest] #[case(1)] #[should_panic] #[case::two(2)]"));
    assert!(says("#[should_panic] #[case(1)] #[should_panic] #[case(2)]"));
    assert!(says("#[case(1)] #[case(2)] #[should_panic]"));
    assert!(!says("#[rstest]"));
}

#[test]
fn test_attributes_are_known_by_their_names() {
    let is_test = |attribute: &str| {
        let parser = |input: ParseStream<'_>| Function::parse(input, "x");
        let function = parser.parse_str(&format!("#[{attribute}] fn t() {{}}")).unwrap();
        has_test(&function.attributes)
    };
    for attribute in [
        "test",
        "::core::prelude::v1::test",
        "tokio::test(flavor = \"multi_thread\")",
        "rstest",
        "test_case(1)",
        "proptest",
        "bench",
    ] {
        assert!(is_test(attribute), "{attribute}");
    }
    for attribute in ["ignore", "tokio::main", "testing", "doc = \"test\"", "cfg(test)"] {
        assert!(!is_test(attribute), "{attribute}");
    }
}

#[test]
fn a_parameter_is_claimed_by_the_end_of_its_type() {
    for ty in [
        "RedisDaemon",
        "&RedisDaemon",
        "&'static mut a::b::RedisDaemon",
        "(RedisDaemon)",
    ] {
        assert_errors("", &format!("#[test] fn t(redis: {ty}) {{}}"), &[]);
    }
    let missing = [(
        "",
        "no parameter of type `RedisDaemon` for `#[with_redis]` to fill: add one",
    )];
    for ty in [
        "Redis",
        "Option<RedisDaemon>",
        "&&RedisDaemon",
        "RedisDaemon::X",
        "[RedisDaemon; 1]",
    ] {
        assert_errors("", &format!("#[test] fn t(redis: {ty}) {{}}"), &missing);
    }
    let item = "#[rstest] fn t(a: Daemon<A>, b: &Daemon<x::B>) {}";
    let found = without_spaces(expansion("with_daemon", "my::Daemon<x::B>", item));
    assert!(found.contains(&printed("t(argument_0, &daemon_0)")), "{found}");
}

#[test]
fn arguments_that_make_no_sense_are_all_reported() {
    let forms = "expected `option`, `option = value` or `option(value, …)`";
    assert_errors(
        "password \"x\", 3 + 4, good = 1, crate, arg = 5, pair(1 2), password =, a::b = 3, arg(redis)",
        TEST,
        &[
            ("\"x\"", forms),
            ("3", forms),
            ("crate", "write `crate = path`"),
            ("5", "write `arg = parameter`"),
            ("2", "expected `,`"),
            ("password", "no value for `password`: expected `option`"),
            (":", forms),
            ("(", "write `arg = parameter`"),
        ],
    );
    assert_errors("arg = redis, arg = redis", TEST, &[("arg", "`arg` is given twice")]);
    assert_errors("crate = \"x\"", TEST, &[("\"x\"", "write `crate = path`")]);
    assert_errors(
        "",
        "#[with_redis = \"x\"] #[test] fn t(a: RedisDaemon, b: RedisDaemon) {}",
        &[("with_redis = \"x\"", "write `#[with_redis(…)]`")],
    );
}

#[test]
fn with_daemon_needs_a_type() {
    let needs = "`#[with_daemon]` needs the daemon's type first";
    for (args, at) in [
        ("", ""),
        ("mode = 1", "mode"),
        ("mode(1)", "mode"),
        ("\"x\", a = 1", "\"x\""),
        ("&X", "&"),
    ] {
        assert_errors_of("with_daemon", args, "#[test] fn t(d: MyDaemon) {}", &[(at, needs)]);
    }
}

#[test]
fn claims_that_conflict_are_reported_where_they_are_made() {
    assert_errors(
        "",
        "#[with_redis(port = 1)] #[test] fn t(redis: RedisDaemon) {}",
        &[(
            "#[with_redis(port = 1)]",
            "each parameter of type `RedisDaemon` is filled by another attribute",
        )],
    );
    assert_errors("arg = x", TEST, &[("x", "no parameter `x`: the function has `redis`")]);
    assert_errors(
        "arg = x",
        "#[test] fn t() {}",
        &[("x", "no parameter `x`, nor any other")],
    );
    assert_errors(
        "arg = a",
        "#[with_redis(arg = a)] #[test] fn t(a: RedisDaemon) {}",
        &[("a", "`a` is filled by another attribute already")],
    );
    assert_errors(
        "arg = a",
        "#[rstest] fn t(#[values(1)] a: RedisDaemon) {}",
        &[("a", "`a` gets its value from `#[values]` already")],
    );
    assert_errors(
        "",
        "#[test] fn t(a: RedisDaemon, b: &RedisDaemon) {}",
        &[("b", "nothing fills this parameter: add another `#[with_redis]`")],
    );
    // An attribute that is not known may be one of ours under another name, or have its own idea of parameters.
    assert_errors("", "#[other] #[test] fn t(a: RedisDaemon, b: &RedisDaemon) {}", &[]);
}

#[test]
fn the_wrong_kind_of_item_is_reported() {
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
fn a_function_that_is_no_test_is_told_the_order() {
    assert_errors(
        "",
        "async fn t(cache: RedisDaemon) {}",
        &[(
            "",
            "no test attribute below `#[with_redis]`, where it has to be:\n\n    #[with_redis]\n    \
             #[tokio::test]\n    async fn t(redis: RedisDaemon) { … }",
        )],
    );
}

#[test]
fn beside_errors_the_body_stays_and_the_parameters_go() {
    let found = expanded(
        "arg = x",
        "#[rstest] fn t(#[case] n: u8, redis: RedisDaemon) { body(); }",
    );
    assert!(found.contains(&printed("#[rstest] fn t(#[case] n: u8)")), "{found}");
    assert!(
        found.contains(&printed("fn t(n: u8, redis: RedisDaemon) { body(); }")),
        "{found}"
    );
}

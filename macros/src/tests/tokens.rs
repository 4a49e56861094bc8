//! The tokens that an attribute expands to.

use proc_macro2::TokenTree;

use super::{assert_contains, expand_attribute, expand_redis, flatten, normalized, without_spaces, TEST};

#[test]
fn the_users_function_is_called_with_the_daemon() {
    assert_eq!(
        expand_redis(
            "",
            "/// Doc.\n#[test] pub(crate) fn t(mut redis: RedisDaemon) -> R { body(); }"
        ),
        normalized(
            "/// Doc.
            #[test] pub(crate) fn t() -> R {
                let test = ::managed_daemons::attribute::enter_test(
                    ::core::concat!(::core::module_path!(), \"::\", ::core::stringify!(t)), false
                );
                let daemon_0 = ::managed_daemons::attribute::or_fail(
                    <::managed_daemons::RedisDaemon>::builder().start()
                );
                test.begin();
                {
                    #[allow(
                        clippy::needless_pass_by_value,
                        clippy::unnecessary_wraps,
                        clippy::unused_async
                    )]
                    fn t(mut redis: RedisDaemon) -> R {
                        #[allow(unused_imports)]
                        use ::managed_daemons::attribute::NoteNothing as _;
                        let returned: R = ::managed_daemons::attribute::call(|| -> R { body(); });
                        ::managed_daemons::attribute::Returned(&returned).note();
                        returned
                    }
                    t(daemon_0)
                }
            }"
        )
    );
}

#[test]
fn the_outer_function_keeps_the_parameters_of_other_attributes() {
    let expansion = expand_redis(
        "arg = r",
        "#[rstest] async fn t<'a, T: Copy>(
            #[case] mut n: T, r: &'a mut Alias, #[allow(x)] #[values(1)] (a, b): P
        ) {}",
    );
    for part in [
        "async fn t<T: Copy>(#[case] n: T, #[values(1)] __arg_2: P)",
        "async fn t<'a, T: Copy>(mut n: T, r: &'a mut Alias, #[allow(x)] (a, b): P)",
        "t::<T>(argument_0, &mut daemon_0, argument_2).await",
        "let mut daemon_0 =",
    ] {
        assert_contains(&expansion, part);
    }
}

#[test]
fn several_daemons_start_at_the_same_time() {
    let expansion = expand_redis(
        "port = 1",
        "#[ignore] #[with_redis(port = 2)] #[test] #[managed_daemons::with_daemon(Mine)]
         fn t(m: &x::Mine, a: RedisDaemon, b: &RedisDaemon) {}",
    );
    let starts = "
        let starting_0 = {
            let builder = <::managed_daemons::RedisDaemon>::builder().port(1);
            ::managed_daemons::attribute::begin(move || builder.start())
        };
        let starting_1 = {
            let builder = <::managed_daemons::RedisDaemon>::builder().port(2);
            ::managed_daemons::attribute::begin(move || builder.start())
        };
        let starting_2 = {
            let builder = <Mine>::builder();
            ::managed_daemons::attribute::begin(move || builder.start())
        };
        let daemon_0 = ::managed_daemons::attribute::or_fail(starting_0.finish());
        let daemon_1 = ::managed_daemons::attribute::or_fail(starting_1.finish());
        let daemon_2 = ::managed_daemons::attribute::or_fail(starting_2.finish());";
    assert_contains(&expansion, starts);
    assert_contains(&expansion, "t(&daemon_2, daemon_0, &daemon_1)");
    assert!(
        expansion.starts_with(&normalized("#[ignore] #[test] fn t()")),
        "{expansion}"
    );
}

#[test]
fn attributes_that_are_never_expanded_count_as_used() {
    let expansion = expand_redis(
        "",
        "#[test] #[managed_daemons::with_daemon(Mine)] fn t(m: &Mine, redis: RedisDaemon) {}",
    );
    let import = "#[allow(unused_imports)] use managed_daemons::with_daemon as _;";
    assert_contains(&expansion, import);
}

#[test]
fn options_are_builder_methods_in_the_order_written() {
    let expansion = expand_redis(
        r#"a = f::<A, B>(x?), b(1, "2"), c, b(3, 4), d(), crate = my::md,"#,
        TEST,
    );
    let start = r#"my::md::attribute::or_fail(
        <my::md::RedisDaemon>::builder().a(f::<A, B>(x?)).b(1, "2").c().b(3, 4).d().start()
    )"#;
    assert_contains(&expansion, start);
}

#[test]
fn options_keep_their_spans() {
    let args = r#"password = "a" , flag , pair ( 1 )"#;
    let tokens = flatten(expand_attribute("with_redis", args, TEST));
    let calls: Vec<_> = tokens
        .windows(2)
        .filter_map(|pair| match pair {
            [TokenTree::Ident(method), TokenTree::Group(arguments)] => Some((
                method.to_string(),
                method.span().source_text().unwrap_or_default(),
                arguments.span().source_text().unwrap_or_default(),
            )),
            _ => None,
        })
        .collect();
    for (method, arguments) in [("password", "\"a\""), ("flag", "flag"), ("pair", "( 1 )")] {
        let expected = (method.to_owned(), method.to_owned(), arguments.to_owned());
        assert!(calls.contains(&expected), "no {expected:?} in {calls:?}");
    }
}

#[test]
fn a_should_panic_test_returns_if_the_daemon_does_not_start() {
    let returns_early = |item: &str| expand_redis("", item).contains("or_print");
    for item in [
        "#[test] #[should_panic(expected = \"x\")] fn t(r: RedisDaemon) {}",
        "#[should_panic] #[test] fn t(r: RedisDaemon) -> () {}",
    ] {
        assert!(returns_early(item), "{item}");
    }
    for item in ["#[should_panic] #[test] fn t(r: RedisDaemon) -> Result<(), E> {}", TEST] {
        assert!(!returns_early(item), "{item}");
    }
}

#[test]
fn generic_arguments_distinguish_handles() {
    let item = "#[rstest] fn t(a: Daemon<A>, b: &Daemon<x::B>) {}";
    let expansion = expand_attribute("with_daemon", "my::Daemon<x::B>", item);
    assert_contains(&without_spaces(&expansion), "t(argument_0, &daemon_0)");
}

#[test]
fn with_an_error_the_body_is_still_checked() {
    let expansion = expand_redis(
        "arg = x",
        "#[rstest] fn t(#[case] n: u8, redis: RedisDaemon) { body(); }",
    );
    assert_contains(&expansion, "#[rstest] fn t(#[case] n: u8)");
    assert_contains(&expansion, "fn t(n: u8, redis: RedisDaemon) { body(); }");
}

#[test]
fn a_daemon_whose_options_use_another_begins_after_it() {
    let expansion = without_spaces(&expand_attribute(
        "with_command",
        "\"worker\", env(\"QUEUE\", queue.url()), args(\"-v\", x)",
        "#[with_redis] #[with_redis(arg = queue)] #[test]
         fn t(worker: CommandDaemon, cache: RedisDaemon, queue: RedisDaemon) {}",
    ));
    let begin = |number: usize| expansion.find(&format!("letstarting_{number}=")).unwrap();
    let finish = |number: usize| expansion.find(&format!("letdaemon_{number}=")).unwrap();
    // The one that nobody needs starts at the same time as both.
    let order = [begin(1), begin(2), finish(2), begin(0), finish(1), finish(0)];
    let mut sorted = order;
    sorted.sort_unstable();
    assert_eq!(order[..4], sorted[..4], "{expansion}");
    for part in [
        "let queue = &daemon_2;",
        ".program(\"worker\").env(\"QUEUE\", queue.url()).args([::std::string::String::from(\"-v\"), \
         ::std::string::String::from(x)])",
    ] {
        assert_contains(&expansion, part);
    }
}

#[test]
fn a_parameter_that_only_options_use_counts_as_used() {
    let expansion = without_spaces(&expand_attribute(
        "with_command",
        "\"worker\", env(\"QUEUE\", queue.url()), env(\"LEVEL\", level)",
        "#[rstest] #[with_redis] #[with_redis] #[test]
         fn t(#[case] level: &str, worker: CommandDaemon, queue: RedisDaemon, cache: RedisDaemon) {}",
    ));
    let inner = "fn t(#[allow(unused_variables)] level: &str, worker: CommandDaemon,
                      #[allow(unused_variables)] queue: RedisDaemon, cache: RedisDaemon) {}";
    assert_contains(&expansion, inner);
}

#[test]
fn names_that_are_no_variables_make_nothing_wait() {
    for args in [
        "with(|queue| queue.megabytes = 8)",
        "setting(\"x\", queue::text())",
        "setting(\"x\", self.queue)",
        "setting(\"x\", queue!(1))",
    ] {
        let expansion = expand_redis(
            args,
            "#[with_redis(arg = queue)] #[test] fn t(redis: RedisDaemon, queue: RedisDaemon) {}",
        );
        assert!(!expansion.contains("letqueue="), "{args}: {expansion}");
    }
}

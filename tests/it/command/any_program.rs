//! Any program as a daemon: `--command`.

use std::fs;

use super::{connect, postgres_one, printed, refusal, run, text, write, Session};
use crate::support::{private_root, program};

/// A program that says what it was given, and serves Redis.
fn redis_server(arguments: &str) -> String {
    let redis = managed_daemons::BinarySpec::named("redis").unwrap();
    let found = redis.locate(&Default::default()).unwrap();
    let path = found.path.display();
    format!("{path} --bind {{host}} --port {{port}} --dir {{dir}} --save '' {arguments}")
}

#[test]
fn ones_own_server_is_told_of_its_database() {
    let files = private_root();
    let orders = write(files.path(), "orders.sql", "CREATE TABLE orders AS SELECT 7 AS id;\n");
    let shop = format!("shop={}", program!("shop").display());
    // The server comes before what it waits for.
    let session = Session::start(&[
        "--command",
        &shop,
        "--daemon-env",
        "DATABASE_URL={postgres.url}",
        "--daemon-env",
        "PORT={port}",
        "--ready-http",
        "/health",
        "postgres",
        "--init",
        &orders,
    ]);
    let url = session.var("SHOP_URL");
    assert_eq!(url, format!("http://127.0.0.1:{}/", session.var("SHOP_PORT")));
    let answer = ureq::get(format!("{url}orders")).call().unwrap();
    assert_eq!(answer.into_body().read_to_string().unwrap(), "1");
    let count = postgres_one(session.var("DATABASE_URL"), "SELECT count(*)::text FROM orders");
    assert_eq!(count.unwrap(), "1");
    session.end();
}

#[test]
fn one_that_others_in_the_network_reach_is_shown_once() {
    let redis = redis_server("");
    let everywhere = redis.replace("--bind {host} ", "");
    let (first, second) = (format!("first={everywhere}"), format!("second={everywhere}"));
    let output = run(&[
        "--command",
        &first,
        "--command",
        &second,
        "--command",
        &redis,
        "--",
        "true",
    ]);
    let path = redis.split(' ').next().unwrap();
    let said = text(&output.stderr);
    let ports = said.strip_prefix(&format!("managed-daemons: `{path}` listens on port "));
    let (port, rest) = ports
        .and_then(|said| said.split_once(' '))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(port.parse::<u16>().is_ok(), "{said}");
    assert_eq!(
        rest,
        "of all interfaces, so that others in the network can reach it; pass it `{host}` as the address to listen on\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn several_have_names() {
    let command = redis_server("--maxmemory 8mb");
    let (first, queue) = (format!("cache={command}"), format!("queue={command}"));
    let session = Session::start(&["--command", &first, "--command", &queue, "--port", "27411"]);
    assert_eq!(session.var("QUEUE_URL"), "tcp://127.0.0.1:27411/");
    assert_ne!(session.var("CACHE_PORT"), "27411");
    for name in ["CACHE", "QUEUE"] {
        let url = format!("redis://127.0.0.1:{}/", session.var(&format!("{name}_PORT")));
        let pong: String = redis::cmd("PING").query(&mut connect(&url)).unwrap();
        assert_eq!(pong, "PONG");
        assert!(!session.has(&format!("{name}_SOCKET")), "it has none");
    }
    session.end();
}

#[test]
fn it_is_named_like_its_program() {
    let session = Session::start(&["--command", &redis_server("")]);
    assert_eq!(
        session.var("REDIS_SERVER_URL"),
        format!("tcp://127.0.0.1:{}/", session.var("REDIS_SERVER_PORT"))
    );
    session.end();
}

#[test]
fn hostile_words_arrive_as_they_are() {
    let words = r#"x=sh -c 'printf "<%s>" "$@" > said; exec sleep 1000' - 'a b' "it's" \" '$HOME' '%s
' -dash '' '{{port}' '*'"#;
    let told = printed(&[
        "--command",
        words,
        "--ready-file",
        "said",
        "--env",
        "DIR={x.dir}",
        "--",
        "sh",
        "-c",
        "cat \"$DIR/said\"",
    ]);
    assert_eq!(told, "<a b><it's><\"><$HOME><%s\n><-dash><><{port}><*>");
}

#[test]
fn each_way_to_be_ready_and_each_option_of_its_environment() {
    let files = private_root();
    let config = write(files.path(), "app.conf", "at {port:admin}, not {{port}\n");
    let script =
        "trap 'echo got it; exit' INT; cat app.conf; echo \"$SEEN $GIVEN\"; echo up; while :; do sleep 0.01; done";
    let command = format!("app=bash -c \"{}\"", script.replace('"', "\\\"").replace('$', "\\$"));
    let kept = files.path().join("kept");
    let log = kept.join("service.log").display().to_string();
    let mut session = Session::start_with(
        &[
            "--command",
            &command,
            "--config",
            &config,
            "--inherit-env",
            "SEEN",
            "--daemon-env",
            "GIVEN=at {host}",
            "--ready-log",
            "up\n",
            "--stop-signal",
            "INT",
            "--graceful",
            "--working-dir",
            kept.to_str().unwrap(),
            "--env",
            "ADMIN={app.port:admin}",
        ],
        |command| {
            command.env("SEEN", "seen").env("UNSEEN", "unseen");
        },
    );
    let admin = session.var("ADMIN").to_owned();
    assert_ne!(admin, session.var("APP_PORT"));
    session.input = None;
    assert_eq!(session.wait(), (0, String::new()));
    let logged = fs::read_to_string(log).unwrap();
    assert_eq!(
        logged,
        format!("at {admin}, not {{port}}\nseen at 127.0.0.1\nup\ngot it\n")
    );

    let socket = redis_server("--unixsocket {socket}");
    let session = Session::start(&["--command", &format!("app={socket}"), "--ready-socket", "{socket}"]);
    let url = format!("unix://{}", session.var("APP_SOCKET"));
    let pong: String = redis::cmd("PING").query(&mut connect(&url)).unwrap();
    assert_eq!(pong, "PONG");
    session.end();

    let ready = "sh -c 'test -e app.conf && touch asked' {port}";
    let words = [
        "--command",
        "app=sleep 1000",
        "--config",
        &config,
        "--ready-command",
        ready,
    ];
    let session = Session::start(&[&words[..], &["--env", "DIR={app.dir}"]].concat());
    assert!(fs::exists(format!("{}/asked", session.var("DIR"))).unwrap());
    session.end();
}

#[test]
fn what_it_can_not_be_is_said() {
    let waits_for = |first: &str, second: &str| {
        let first = format!("a=sleep {first}");
        refusal(&["--command", &first, "--command", &format!("b=sleep {second}")])
    };
    assert_eq!(
        waits_for("{b.port}", "{a.port}"),
        "each of these would start after another: a, b"
    );
    assert_eq!(
        waits_for("1", "{postgers.url}"),
        "b: there is no daemon `postgers`, of which it has a placeholder; there are a, b"
    );
    let error = waits_for("{prot}", "{a.url}");
    assert_eq!(
        error,
        "a: sleep did not start: option `--command`: there is no placeholder `{prot}`; there are `{host}`, `{port}`, `{dir}`, \
         `{socket}`, `{user}`"
    );
    for (command, problem) in [
        ("", "`--command` names no program"),
        ("''", "`--command ''` names no program"),
        (
            "app=ls '",
            "app: `--command ls '` has a quote that is not closed, or ends with a backslash",
        ),
        (
            "[ 1 ]",
            "`--command [ 1 ]` needs a name of your choice in front of it, as in `app=[ 1 ]`",
        ),
    ] {
        assert_eq!(refusal(&["--command", command]), problem);
    }
    let a_variable = |name: &str| {
        format!("begins with the variable `{name}`, but no shell reads it: write `--daemon-env {name}=…` after it")
    };
    for (command, name) in [
        ("DATABASE_URL=x ./shop", "DATABASE_URL"),
        ("A='b c' B=d sleep 1", "A"),
        ("A= sleep 1", "A"),
        ("app=a_1=x sleep 1", "a_1"),
    ] {
        let shown = command.strip_prefix("app=").unwrap_or(command);
        let error = refusal(&["--command", command]);
        assert!(
            error.ends_with(&format!("`--command {shown}` {}", a_variable(name))),
            "{error}"
        );
    }
    // Names, whatever they look like.
    for command in ["SHOP=sleep {prot}", "SHOP=no-such-program -p {port}"] {
        let error = refusal(&["--command", command]);
        assert!(error.starts_with("SHOP: "), "{error}");
    }
    for (option, value, problem) in [
        ("--stop-signal", "FOO", "is not TERM, INT, QUIT or KILL"),
        (
            "--config",
            "/nope",
            "can't be read: No such file or directory (os error 2)",
        ),
        ("--ready-command", "", "names no program"),
    ] {
        let shown = format!("{option} {value}");
        let expected = format!("x: `{}` {problem}", shown.trim_end());
        assert_eq!(refusal(&["--command", "x=sleep 1", option, value]), expected);
    }
    assert_eq!(
        waits_for("{b.port:admin}", "{b.url}"),
        "b: a placeholder `{b.…}` is of itself: write `{port}` and the like, and `{{` for a brace"
    );
    assert_eq!(
        refusal(&["command"]),
        "write `--command 'PROGRAM ARGUMENTS'`, and the name in front, if any"
    );
    assert_eq!(
        refusal(&["--command", "7zip=sleep 1"]),
        "`--command 7zip=sleep 1` begins with a name: \"7zip\" can't be a name: names begin with a letter, and have \
         letters, digits, `-` and `_`"
    );
    assert_eq!(
        refusal(&["--command", "sleep 1", "--command", "sleep 1"]),
        "two daemons are named `sleep`: give one of them another name, as in `--command 'my-sleep=sleep 1'`"
    );
    // What is filled in may be a password.
    let words = [
        "redis",
        "--password",
        "s3cr3t",
        "--command",
        "x=sleep 1000",
        "--start-timeout",
        "0.2",
    ];
    for (option, value, problem) in [
        ("--ready-log", "{redis.url}", "`{redis.url}` is not in the log"),
        ("--ready-http", "/?{redis.password}", "GET /?{redis.password}: "),
        (
            "--ready-command",
            "false {redis.password}",
            "`false {redis.password}` ended with",
        ),
    ] {
        let error = refusal(&[&words[..], &[option, value]].concat());
        assert!(error.contains(problem) && !error.contains("s3cr3t"), "{error}");
    }
    let error = refusal(&["--command", "x=no-such-program-at-all"]);
    let problem = "x: no-such-program-at-all did not start: no usable binary of `no-such-program-at-all`\n";
    assert!(error.starts_with(problem), "{error}");
    let error = refusal(&["redis", "--ready-http", "/"]);
    assert!(
        error.starts_with("redis has no option `ready-http`; it has "),
        "{error}"
    );
}

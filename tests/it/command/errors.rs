//! Exit codes, and what is said of a command line that can't be run.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{printed, refusal, run, run_in, text, write};
use crate::support::{assert_nothing_left, private_root};

#[test]
fn the_status_is_that_of_the_command() {
    for code in [0, 1, 2, 42, 125, 126, 127, 255] {
        let output = run(&["redis", "--", "sh", "-c", &format!("exit {code}")]);
        assert_eq!(
            (output.status.code(), output.stdout, output.stderr),
            (Some(code), vec![], vec![])
        );
    }
}

#[test]
fn a_command_that_can_not_be_run_is_one_line() {
    let files = private_root();
    let script = |name: &str, text: &str, mode: u32| {
        let path = write(files.path(), name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let closed = script("closed", "#!/bin/sh\n", 0o644);
    let bare = script("bare", "echo text\n", 0o755);
    let lost = script("lost", "#!/no/such/interpreter\n", 0o755);
    let dir = files.path().to_str().unwrap();
    for (command, code, expected) in [
        (
            "no-such-command",
            127,
            String::from("there is no command `no-such-command`"),
        ),
        (
            "./no-such-command",
            127,
            String::from("there is no command `./no-such-command`"),
        ),
        ("--help", 127, String::from("there is no command `--help`")),
        ("", 127, String::from("the command is an empty word")),
        (dir, 126, format!("`{dir}` is a directory")),
        (
            &closed,
            126,
            format!("`{closed}` may not be executed: `chmod +x` allows it"),
        ),
        (
            &bare,
            126,
            format!("`{bare}` is neither a program for this machine nor a script that begins with `#!`"),
        ),
        (
            &lost,
            127,
            format!("`{lost}` needs a program that is not there: the one after `#!`, or its loader"),
        ),
    ] {
        let output = run(&["redis", "--", command]);
        assert_eq!(text(&output.stderr), format!("managed-daemons: {expected}\n"));
        assert_eq!((output.status.code(), output.stdout), (Some(code), vec![]), "{command}");
    }
}

#[test]
fn a_command_is_found_where_a_shell_finds_it() {
    let files = private_root();
    let path = write(files.path(), "greet", "#!/bin/sh\necho \"hello $1\"\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(printed(&["redis", "--", &path, "you"]), "hello you\n");
    for (path, command) in [("/no/such/dir:/usr/bin:/bin:", "greet"), ("/usr/bin:/bin", "./greet")] {
        let root = private_root();
        let mut run = run_in(root.path());
        let run = run.args(["redis", "--", command, "you"]).current_dir(files.path());
        let path = match command {
            "greet" => format!("{}:{path}", files.path().display()),
            _ => path.to_owned(),
        };
        let output = run.env("PATH", path).output().unwrap();
        assert_eq!(
            (output.status.code(), &*text(&output.stdout)),
            (Some(0), "hello you\n"),
            "{output:?}"
        );
        assert_nothing_left(root.path());
    }
}

#[test]
fn what_names_no_daemon_is_an_error() {
    let there =
        "there are apache, mariadb, memcached, mysql, nginx, postgres, rabbitmq, redis, valkey, and `--command` for any \
         other program";
    let rule = "names begin with a letter, and have letters, digits, `-` and `_`";
    for (typed, expected) in [
        ("nosuch", format!("there is no daemon `nosuch`; {there}")),
        ("cache=nosuch", format!("there is no daemon `nosuch`; {there}")),
        ("Redis", format!("there is no daemon `Redis`; {there}")),
        ("", format!("there is no daemon ``; {there}")),
        ("cache=", format!("there is no daemon ``; {there}")),
        ("@7", format!("there is no daemon ``; {there}")),
        ("redis@", String::from("`redis@` has no version after the `@`")),
        ("=redis", format!("\"\" can't be a name: {rule}")),
        ("1=redis", format!("\"1\" can't be a name: {rule}")),
        ("a b=redis", format!("\"a b\" can't be a name: {rule}")),
        ("a.b=redis", format!("\"a.b\" can't be a name: {rule}")),
        ("../a=redis", format!("\"../a\" can't be a name: {rule}")),
        ("ä=redis", format!("\"ä\" can't be a name: {rule}")),
    ] {
        assert_eq!(refusal(&[typed, "--", "true"]), expected, "{typed}");
    }
    let none = format!(
        "name a daemon, as in `managed-daemons run DAEMON -- COMMAND`, or write a `managed-daemons.toml`; {there}"
    );
    assert_eq!(refusal(&["--", "true"]), none);
    assert_eq!(refusal::<&str>(&[]), none);
}

#[test]
fn two_daemons_can_not_have_one_name() {
    assert_eq!(
        refusal(&["redis", "redis", "--", "true"]),
        "two daemons are named `redis`: give one of them another name, as in `my-redis=redis`"
    );
    assert_eq!(
        refusal(&["cache=redis", "cache=memcached", "--", "true"]),
        "two daemons are named `cache`: give one of them another name, as in `my-cache=memcached`"
    );
    for (one, other) in [("a-b", "a_b"), ("cache", "Cache")] {
        assert_eq!(
            refusal(&[&format!("{one}=redis"), &format!("{other}=redis"), "--", "true"]),
            format!("the variables of `{one}` and `{other}` would have the same names: rename one of them")
        );
    }
}

#[test]
fn what_only_one_daemon_can_have_is_not_for_all() {
    for (option, value) in [("port", "5432"), ("working-dir", "/no/such")] {
        assert_eq!(
            refusal(&[&format!("--{option}"), value, "redis", "cache=memcached", "--", "true"]),
            format!(
                "`--{option} {value}` is before the first daemon, and so for all: redis, cache. Write it after the one \
                 that it is for"
            )
        );
    }
}

#[test]
fn values_that_make_no_sense_are_errors() {
    let port = "is not a port: ports are numbers from 1 to 65535";
    for (option, value, problem) in [
        ("port", "0", port),
        ("port", "-1", port),
        ("port", "65536", port),
        ("port", "80x", port),
        ("start-timeout", "-1", "is not a number of seconds"),
        ("start-timeout", "soon", "is not a number of seconds"),
        ("start-timeout", "inf", "is not a number of seconds"),
        ("set", "maxmemory", "is not of the form KEY=VALUE"),
        ("set", "=8mb", "is not of the form KEY=VALUE"),
        ("daemon-env", "A", "is not of the form KEY=VALUE"),
    ] {
        let said = refusal(&["redis", &format!("--{option}"), value, "--", "true"]);
        assert_eq!(said, format!("redis: `--{option} {value}` {problem}"));
    }
    let flavor = "mysql: `--flavor percona` is no flavor: there are `mysql` and `mariadb`";
    assert_eq!(refusal(&["mysql", "--flavor", "percona", "--", "true"]), flavor);
    let suite = refusal(&["redis", "--suite", "a b", "--", "true"]);
    assert!(
        suite.contains("\"a b\" can't be the name of a suite; write one such as `sid`"),
        "{suite}"
    );
}

#[test]
fn a_configuration_from_a_pipe_is_refused() {
    let files = private_root();
    let pipe = files.path().join("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let pipe = pipe.to_str().unwrap();
    // It would be empty when it is read again.
    for daemon in ["redis", "postgres", "mariadb", "nginx", "rabbitmq", "memcached"] {
        let refusal = refusal(&[daemon, "--config", pipe, "--", "true"]);
        assert!(refusal.contains(&format!("`--config {pipe}` is a pipe")), "{refusal}");
    }
}

#[test]
fn of_several_daemons_that_do_not_start_each_is_named_and_none_runs() {
    let said = refusal(&[
        "good=redis",
        "a=redis",
        "--port",
        "x",
        "b=memcached",
        "--set",
        "c",
        "--",
        "true",
    ]);
    assert_eq!(
        said,
        "a: `--port x` is not a port: ports are numbers from 1 to 65535\nb: `--set c` is not of the form KEY=VALUE"
    );
}

#[test]
fn the_help_has_each_option_with_an_example() {
    let root = private_root();
    let output = run_in(root.path()).arg("--help").output().unwrap();
    let help = text(&output.stdout);
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
    for option in [
        "port",
        "user",
        "password",
        "without-password",
        "database",
        "set",
        "config",
        "init",
        "version",
        "suite",
        "flavor",
        "tls",
        "plugin",
        "extension",
        "hba",
        "serve",
        "binary",
        "working-dir",
        "daemon-env",
        "start-timeout",
    ] {
        let lines: Vec<&str> = help.lines().collect();
        let is_heading = |line: &&str| {
            let mut words = line.split_whitespace();
            words.next() == Some(&format!("--{option}"))
        };
        let at = lines
            .iter()
            .position(is_heading)
            .unwrap_or_else(|| panic!("no `{option}` in {help}"));
        assert!(
            lines[at + 1].contains(&format!(" --{option}")) && lines[at + 1].contains(": `"),
            "{}",
            lines[at + 1]
        );
    }
    for part in [
        "--env <NAME=TEXT>",
        "--env-file <FILE>",
        "run postgres@16 redis -- cargo test",
        "127",
        "126",
        "125",
    ] {
        assert!(help.contains(part), "no `{part}` in {help}");
    }
}

//! Bad input: one clear error each, and nothing left.

use std::time::Duration;

use managed_daemons::{BinarySpec, CommandBuilder, CommandDaemon, Phase};

use super::{shell, unruly};
use crate::support::{assert_nothing_left, failure_in, private_root, start_failure};

#[track_caller]
fn assert_fails(builder: CommandBuilder, texts: &[&str]) {
    let root = private_root();
    let failed = start_failure(
        builder
            .temp_root(root.path())
            .start_timeout(Duration::from_secs(5))
            .start(),
    );
    for text in texts {
        assert!(failed.contains(text), "no `{text}` in {failed}");
    }
    assert_nothing_left(root.path());
}

#[test]
fn a_program_that_is_not_there() {
    assert_fails(
        CommandDaemon::builder().program("no-such-program"),
        &[
            "no usable binary of `no-such-program`",
            "PATH (",
            "install a package that has `no-such-program`",
        ],
    );
    assert_fails(
        CommandDaemon::builder().program("/no/such/program"),
        &["/no/such/program", "not there"],
    );
    assert_fails(
        CommandDaemon::builder().program("/tmp"),
        &["`/tmp`: a directory, not a program"],
    );
    assert_fails(CommandDaemon::builder(), &["program"]);
    assert_fails(
        CommandDaemon::builder().program("sh").arg("{package:/etc/no/such}"),
        &[
            "no usable binary of `sh` with file `/etc/no/such`",
            "without file `/etc/no/such`",
        ],
    );
    assert_fails(
        CommandDaemon::builder()
            .program("no-such-program")
            .package("no-such-package"),
        &["no-such-package"],
    );
}

#[test]
fn a_program_that_ends_at_once() {
    let root = private_root();
    let failed = failure_in(Phase::Readiness, unruly("exit-at-once").temp_root(root.path()));
    assert!(
        failed.contains("exit status: 7") && failed.contains("the moon is in the wrong phase"),
        "{failed}"
    );
    assert_nothing_left(root.path());
}

#[test]
fn a_program_that_goes_to_the_background() {
    let redis = BinarySpec::named("redis").unwrap().locate(&Default::default());
    let redis = redis.unwrap().path.display().to_string();
    let root = private_root();
    for _ in 0..25 {
        let options = ["--bind", "{host}", "--port", "{port}", "--daemonize", "yes"];
        let builder = CommandDaemon::builder().program(&redis).args(options);
        let failed = failure_in(Phase::Readiness, builder.temp_root(root.path()));
        for text in [
            "it went to the background: `",
            "ended with exit status: 0",
            "`--foreground`",
        ] {
            assert!(failed.contains(text), "no `{text}` in {failed}");
        }
        assert_nothing_left(root.path());
    }
}

#[test]
fn a_program_that_never_answers_or_writes_without_end() {
    let root = private_root();
    let short = Duration::from_millis(300);
    failure_in(
        Phase::Readiness,
        unruly("never-ready").temp_root(root.path()).start_timeout(short),
    );
    let gigabyte = shell("yes a line that says nothing | head -c 1000000000; exit 3");
    let failed = failure_in(Phase::Readiness, gigabyte.temp_root(root.path()));
    assert!(failed.contains("exit status: 3") && failed.contains("a line that says nothing"));
    assert!(failed.len() < 10_000, "{} bytes", failed.len());
    let flood = "while :; do echo a line that says nothing; done";
    let failed = failure_in(
        Phase::Readiness,
        shell(flood).temp_root(root.path()).start_timeout(short),
    );
    assert!(failed.len() < 10_000, "{} bytes", failed.len());
    assert_nothing_left(root.path());
}

#[test]
fn an_unknown_placeholder_lists_the_known_ones() {
    let known = "there are `{host}`, `{port}`, `{dir}`, `{socket}`, `{user}`, `{port:admin}`";
    for builder in [
        unruly("well").args(["{prot}", "{port:admin}"]),
        unruly("well").arg("{port:admin}").env("X", "{prot}"),
        unruly("well").arg("{port:admin}").config_file("a.conf", "{prot}"),
        unruly("well").arg("{port:admin}").ready_http("/{prot}"),
    ] {
        assert_fails(builder, &["there is no placeholder `{prot}`", known]);
    }
}

#[test]
fn what_can_not_be_a_file_a_variable_or_a_version() {
    for name in ["../out", "/etc/out", "", "a/../../out"] {
        assert_fails(
            unruly("well").config_file(name, ""),
            &["config_file", "can't be a file of the working directory"],
        );
    }
    assert_fails(
        unruly("well").config_file("service.json", ""),
        &["config_file", "\"service.json\" is a file of the framework"],
    );
    assert_fails(unruly("well").env("A=B", ""), &["can't be the name of a variable"]);
    assert_fails(unruly("well").arg("a\0b"), &["contains NUL"]);
    assert_fails(
        unruly("well").version("1"),
        &["version", "is not asked for its version"],
    );
    assert_fails(
        unruly("well").ready_http("health"),
        &["ready_http", "`health` is no path of a URL: it begins with a slash"],
    );
}

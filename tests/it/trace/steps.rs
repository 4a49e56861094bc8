//! What the steps say.

use std::process::Stdio;

use managed_daemons::{with_postgres, with_redis, PostgresDaemon, RedisDaemon};
use serde_json::Value;

use super::{read, steps, times, VARIABLE};
use crate::support::{assert_nothing_left, private_root, run_tests, Run};

/// Set in a process whose test is to fail.
const FAIL: &str = "MANAGED_DAEMONS_TESTS_FAIL";

/// Tests that the ones below run in a process of their own.
mod traced_tests {
    use super::*;

    #[with_redis]
    #[with_postgres]
    #[test]
    fn two_daemons(redis: RedisDaemon, postgres: PostgresDaemon) {
        redis.restart().unwrap();
        assert!(postgres.is_running());
    }

    #[with_redis]
    #[test]
    fn that_returns_an_error_on_demand(_redis: &RedisDaemon) -> Result<(), String> {
        match std::env::var_os(FAIL) {
            None => Ok(()),
            Some(_) => Err(String::from("as demanded")),
        }
    }

    #[with_redis]
    #[test]
    #[should_panic(expected = "on purpose")]
    fn that_passes_by_panicking(_redis: &RedisDaemon) {
        panic!("on purpose");
    }

    #[with_redis(setting("maxmemory", memory()))]
    #[test]
    #[should_panic(expected = "on purpose")]
    fn that_should_panic_with_a_daemon_that_does_not_start_on_demand(_redis: &RedisDaemon) {
        panic!("on purpose");
    }

    fn memory() -> &'static str {
        match std::env::var_os(FAIL) {
            None => "8mb",
            Some(_) => "a lot",
        }
    }

    #[with_redis]
    #[test]
    fn that_fails_on_demand(redis: RedisDaemon) {
        assert!(std::env::var_os(FAIL).is_none(), "{redis:?}");
    }
}

/// Runs such a test; returns what it has written.
#[track_caller]
fn trace_of(name: &str) -> Vec<Value> {
    let root = private_root();
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut command = run_tests(name, root.path());
    command
        .env_remove("NEXTEST_TEST_NAME")
        .env("CARGO_PKG_NAME", "shop")
        .env(VARIABLE, &file)
        .env(FAIL, "1");
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_nothing_left(root.path());
    read(&file)
}

/// The one step of this name.
#[track_caller]
fn only<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let found = steps(events, name);
    assert_eq!(found.len(), 1, "{name}: {events:#?}");
    found[0]
}

#[track_caller]
fn assert_contains(outer: &Value, inner: &Value) {
    let ((outer_begun, outer_ended), (begun, ended)) = (times(outer), times(inner));
    assert!(
        outer_begun <= begun && ended <= outer_ended,
        "{inner} is not within {outer}"
    );
}

#[test]
fn a_test_consists_of_its_daemons_starts_and_their_ends() {
    let thread = "trace::steps::traced_tests::two_daemons";
    let events = trace_of(thread);
    let name = &*format!("shop::it::{thread}");
    let test = only(&events, name);
    assert_eq!(test["cat"], "test");
    assert!(test["args"].get("failed").is_none());
    let start = only(&events, "start postgres");
    for phase in [
        "find",
        "configure",
        "initialize",
        "template",
        "spawn",
        "readiness",
        "ready",
    ] {
        // The server that makes a template comes first, where there was none.
        let found = steps(&events, &format!("{phase} postgres"));
        let phase = *found.last().unwrap_or_else(|| panic!("{phase}: {events:#?}"));
        assert_contains(start, phase);
        assert_eq!(start["tid"], phase["tid"]);
    }
    // A copy may be made in another thread, while the server starts.
    for copy in steps(&events, "clone postgres") {
        assert_contains(start, copy);
    }
    for step in ["kill postgres", "remove postgres", "stop redis"] {
        assert_contains(test, only(&events, step));
    }
    // The second one is the restart.
    assert_eq!(steps(&events, "start redis").len(), 2);
    assert_eq!(steps(&events, "find redis").len(), 1);
    for step in events.iter().filter(|event| event["ph"] == "X") {
        assert_eq!(step["args"]["test"], name, "{step}");
        assert_contains(test, step);
    }
    let found = only(&events, "find postgres");
    assert_eq!(found["args"]["daemon"], "postgres");
    assert!(
        found["args"]["from"].is_string() && found["args"]["version"].is_string(),
        "{found}"
    );
    let dir = start["args"]["dir"].as_str().unwrap();
    assert!(dir.contains("-postgres-"), "{dir}");
    // The harness names a thread after its test.
    let names = events.iter().filter(|event| event["name"] == "thread_name");
    assert!(names.map(|event| &event["args"]["name"]).any(|name| name == thread));
}

#[test]
fn a_step_that_fails_says_so() {
    let thread = "trace::steps::traced_tests::that_fails_on_demand";
    let events = trace_of(thread);
    let name = &*format!("shop::it::{thread}");
    assert_eq!(only(&events, name)["args"]["failed"], true);
    assert!(only(&events, "start redis")["args"].get("failed").is_none());

    let dir = private_root();
    let (file, log) = (dir.path().join("trace.json"), dir.path().join("log"));
    let mut run = Run::with_variable(VARIABLE, &file);
    let mut sharer = run.start(&format!("bad-daemon a {}", log.display()));
    assert!(sharer.line().starts_with("failed: "));
    sharer.end();
    run.end();
    run.assert_nothing_left();
    let events = read(&file);
    assert_eq!(only(&events, "start redis")["args"]["failed"], true);
    assert!(only(&events, "find redis")["args"].get("failed").is_none());
}

#[test]
fn a_test_is_marked_when_it_fails_and_not_because_it_panics() {
    for (name, fails) in [
        ("that_returns_an_error_on_demand", true),
        ("that_passes_by_panicking", false),
        ("that_should_panic_with_a_daemon_that_does_not_start_on_demand", true),
    ] {
        let thread = format!("trace::steps::traced_tests::{name}");
        let events = trace_of(&thread);
        let test = only(&events, &format!("shop::it::{thread}"));
        assert_eq!(test["args"]["failed"] == true, fails, "{test}");
    }
}

#[test]
fn readiness_consists_of_its_probes() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    let mut sharer = run.start("own 1");
    assert_eq!(sharer.line(), "started");
    sharer.end();
    run.end();
    run.assert_nothing_left();
    let events = read(&file);
    let readiness = only(&events, "readiness redis");
    let probes = steps(&events, "probe redis");
    assert_eq!(readiness["args"]["count"], probes.len());
    assert!(!probes.is_empty());
    for probe in probes {
        assert_contains(readiness, probe);
    }
}

#[test]
fn waiting_for_a_turn_is_a_step() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with(|command| {
        command.env(VARIABLE, &file).env("MANAGED_DAEMONS_MAX", "1");
    });
    let mut first = run.start("own 1");
    assert_eq!(first.line(), "started");
    let mut second = run.start("own 1");
    run.wait_until_connected(2);
    first.go_on();
    assert_eq!(first.line(), "ended");
    assert_eq!(second.line(), "started");
    first.end();
    second.end();
    run.end();
    run.assert_nothing_left();
    let events = read(&file);
    let turns = steps(&events, "wait for a turn redis");
    assert_eq!(turns.len(), 2);
    // The second one has its turn when the first daemon is gone.
    let first_gone = steps(&events, "remove redis")
        .into_iter()
        .map(|step| times(step).1)
        .min();
    let second_turn = turns.into_iter().map(|step| times(step).1).max();
    assert!(second_turn > first_gone);
}

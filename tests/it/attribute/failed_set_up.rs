//! What a test reports when its daemon does not start.

use std::path::Path;

use managed_daemons::{with_redis, RedisDaemon};
use rstest::rstest;

use crate::support::{assert_nothing_left, private_root, run_tests};

/// Set in a process whose daemons must not start.
const BREAK: &str = "MANAGED_DAEMONS_TESTS_BREAK";

/// A setting that Redis knows, unless the daemons must not start.
fn setting() -> &'static str {
    match std::env::var_os(BREAK) {
        Some(_) => "no-such-directive",
        None => "maxmemory",
    }
}

/// Tests that pass if their daemons start. The test below runs them in a process where none does.
mod tests_that_fail_on_demand {
    use super::*;

    pub(super) const ALONE: u32 = line!() + 1;
    #[with_redis(setting(setting(), "0"))]
    #[test]
    fn one_daemon(redis: RedisDaemon) {
        assert!(redis.is_running());
    }

    pub(super) const SECOND: u32 = line!() + 2;
    #[with_redis]
    #[with_redis(setting(setting(), "0"))]
    #[tokio::test]
    async fn the_second_daemon(one: RedisDaemon, two: &RedisDaemon) {
        assert!(one.is_running() && two.is_running());
    }

    #[with_redis(setting(setting(), "0"))]
    #[test]
    #[should_panic]
    fn should_panic(redis: RedisDaemon) {
        assert!(!redis.is_running());
    }

    #[with_redis]
    #[with_redis(setting(setting(), "0"))]
    #[test]
    #[should_panic]
    fn the_second_of_a_test_that_panics(one: RedisDaemon, two: RedisDaemon) {
        assert!(!one.is_running() && !two.is_running());
    }

    #[with_redis(setting(setting(), "0"))]
    #[with_redis(setting(setting(), "0"))]
    #[rstest]
    #[should_panic(expected = "assertion failed")]
    #[case(1)]
    #[should_panic]
    #[case(2)]
    fn every_case_should_panic(#[case] number: u8, one: RedisDaemon, two: &RedisDaemon) {
        assert!(number == 0 && one.is_running() && two.is_running());
    }

    #[with_redis(setting(setting(), "0"))]
    #[cfg_attr(all(), should_panic(expected = "assertion failed"))]
    #[tokio::test]
    async fn should_panic_under_a_condition(redis: RedisDaemon) {
        assert!(!redis.is_running());
    }

    #[with_redis(setting(setting(), "0"))]
    #[rstest]
    #[case(1)]
    #[should_panic]
    #[case(2)]
    fn one_case_should_panic(#[case] number: u8, redis: RedisDaemon) {
        assert!(number == 1 && redis.is_running());
    }
}

#[test]
fn a_failed_start_fails_the_test_and_reports_why_and_where() {
    let (root, kept) = (private_root(), private_root());
    let output = run_tests("attribute::failed_set_up::tests_that_fail_on_demand::", root.path())
        .arg("--test-threads=2")
        .env("RUST_BACKTRACE", "0")
        .env(BREAK, "1")
        .env("MANAGED_DAEMONS_KEEP_DIR", kept.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);

    let failures = [
        "one_daemon",
        "the_second_daemon",
        "should_panic",
        "the_second_of_a_test_that_panics",
        "every_case_should_panic::case_1",
        "every_case_should_panic::case_2",
        "should_panic_under_a_condition",
        "one_case_should_panic::case_1",
    ];
    for name in failures {
        let failed = said.lines().any(|line| {
            line.strip_prefix(&format!(
                "test attribute::failed_set_up::tests_that_fail_on_demand::{name}"
            ))
            .is_some_and(|rest| rest.ends_with("... FAILED"))
        });
        assert!(failed, "{name} did not fail: {said}");
    }
    // The attribute can't tell which case runs, so the case that should panic passes.
    assert!(
        said.contains("one_case_should_panic::case_2 - should panic ... ok"),
        "{said}"
    );
    assert!(
        said.contains(&format!("test result: FAILED. 1 passed; {} failed", failures.len())),
        "{said}"
    );

    for line in [tests_that_fail_on_demand::ALONE, tests_that_fail_on_demand::SECOND] {
        assert!(
            said.contains(&format!("panicked at {}:{line}:", file!())),
            "{line}: {said}"
        );
    }
    // No panic in the tests that should panic: they would pass.
    assert_eq!(said.matches("panicked at").count(), 3, "{said}");
    // Each reports the setting, the phase, the exit status, and a directory to look at.
    for words in ["no-such-directive", "readiness", "exit status: 1"] {
        assert!(said.matches(words).count() >= failures.len(), "{words}: {said}");
    }
    let directories: Vec<&str> = (said.split("kept in `").skip(1))
        .filter_map(|rest| rest.split('`').next())
        .collect();
    assert!(directories.len() >= failures.len(), "{said}");
    for directory in directories {
        assert!(Path::new(directory).starts_with(kept.path()), "{said}");
        assert!(Path::new(directory).join("service.conf").exists(), "{said}");
    }
    assert_nothing_left(root.path());
}

/// Why the other has not started may be in what the first says.
#[test]
fn the_daemon_that_runs_is_reported_and_kept_too() {
    for (test, name) in [
        ("the_second_daemon", "the_second_daemon"),
        ("the_second_of_a", "the_second_of_a_test_that_panics"),
    ] {
        let (root, kept) = (private_root(), private_root());
        let output = run_tests(
            &format!("attribute::failed_set_up::tests_that_fail_on_demand::{test}"),
            root.path(),
        )
        .arg("--nocapture")
        .env("RUST_BACKTRACE", "0")
        .env(BREAK, "1")
        .env("MANAGED_DAEMONS_KEEP_DIR", kept.path())
        .env("CARGO_PKG_NAME", "shop")
        .env_remove("MANAGED_DAEMONS_KEEP")
        .env_remove("MANAGED_DAEMONS_REPORT")
        .output()
        .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let dir = kept.path().join(format!(
            "shop.it.attribute.failed_set_up.tests_that_fail_on_demand.{name}"
        ));
        let failed = said.find(&format!("kept in `{}`", dir.join("redis").display()));
        let running = said.find(", running, started ");
        assert!(failed.unwrap() < running.unwrap(), "{said}");
        let told = format!("\n  kept    {}\n", dir.join("redis-2").display());
        assert!(said[running.unwrap()..].contains(&told), "{said}");
        assert!(dir.join("redis-2/dump.rdb").is_file());
        assert_nothing_left(root.path());
    }
}

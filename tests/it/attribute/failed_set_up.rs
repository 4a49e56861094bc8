//! What a test says whose daemon does not start. The tests here that can fail do so only in a process where one of ours
//! asks for it, and say nothing but "ok" otherwise.

use std::path::Path;
use std::process::Command;

use managed_daemons::{with_redis, RedisDaemon};
use rstest::rstest;

use crate::support::{assert_nothing_left, private_root};

const BREAK: &str = "MANAGED_DAEMONS_TESTS_BREAK";

/// A directive that Redis knows; or, where asked for, one it does not.
fn directive() -> &'static str {
    match std::env::var_os(BREAK) {
        Some(_) => "no-such-directive",
        None => "maxmemory",
    }
}

mod victims {
    use super::*;

    pub(super) const ALONE: u32 = line!() + 1;
    #[with_redis(directive(directive(), "0"))]
    #[test]
    fn alone(redis: RedisDaemon) {
        assert!(redis.is_running());
    }

    pub(super) const SECOND: u32 = line!() + 2;
    #[with_redis]
    #[with_redis(directive(directive(), "0"))]
    #[tokio::test]
    async fn second(one: RedisDaemon, two: &RedisDaemon) {
        assert!(one.is_running() && two.is_running());
    }

    #[with_redis(directive(directive(), "0"))]
    #[test]
    #[should_panic]
    fn to_panic(redis: RedisDaemon) {
        assert!(!redis.is_running());
    }

    #[with_redis(directive(directive(), "0"))]
    #[with_redis(directive(directive(), "0"))]
    #[rstest]
    #[should_panic(expected = "assertion failed")]
    #[case(1)]
    #[should_panic]
    #[case(2)]
    fn every_case_to_panic(#[case] number: u8, one: RedisDaemon, two: &RedisDaemon) {
        assert!(number == 0 && one.is_running() && two.is_running());
    }

    #[with_redis(directive(directive(), "0"))]
    #[cfg_attr(all(), should_panic(expected = "assertion failed"))]
    #[tokio::test]
    async fn to_panic_under_a_condition(redis: RedisDaemon) {
        assert!(!redis.is_running());
    }

    #[with_redis(directive(directive(), "0"))]
    #[rstest]
    #[case(1)]
    #[should_panic]
    #[case(2)]
    fn one_case_to_panic(#[case] number: u8, redis: RedisDaemon) {
        assert!(number == 1 && redis.is_running());
    }
}

#[test]
fn a_failed_one_fails_the_test_and_says_why_and_where() {
    let (root, kept) = (private_root(), private_root());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["macro_set_up::victims::", "--test-threads=2"])
        .env(BREAK, "1")
        .env("MANAGED_DAEMONS_TMPDIR", root.path())
        .env("MANAGED_DAEMONS_KEEP", kept.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);

    let failures = [
        "alone",
        "second",
        "to_panic",
        "every_case_to_panic::case_1",
        "every_case_to_panic::case_2",
        "to_panic_under_a_condition",
        "one_case_to_panic::case_1",
    ];
    for name in failures {
        let failed = said.lines().any(|line| {
            line.strip_prefix(&format!("test macro_set_up::victims::{name}"))
                .is_some_and(|rest| rest.ends_with("... FAILED"))
        });
        assert!(failed, "{name} did not fail: {said}");
    }
    // The other says that something is wrong; which case runs can't be told from inside.
    assert!(
        said.contains("one_case_to_panic::case_2 - should panic ... ok"),
        "{said}"
    );
    assert!(
        said.contains(&format!("test result: FAILED. 1 passed; {} failed", failures.len())),
        "{said}"
    );

    for line in [victims::ALONE, victims::SECOND] {
        assert!(
            said.contains(&format!("panicked at {}:{line}:", file!())),
            "{line}: {said}"
        );
    }
    // Each gives the daemon's own words, and a directory that is there.
    assert!(said.matches("no-such-directive").count() >= failures.len(), "{said}");
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

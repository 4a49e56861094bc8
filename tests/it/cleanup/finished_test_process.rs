//! When a test process has ended by itself, nothing is left.

use std::process::Stdio;

use managed_daemons::{with_redis, RedisDaemon};
use managed_daemons_tests::leftovers;
use once_cell::sync::OnceCell;

use crate::support::{private_root, run_tests, Victim};

/// Set in a process whose tests must fail.
const FAIL: &str = "MANAGED_DAEMONS_TESTS_FAIL";

fn must_fail() -> bool {
    std::env::var_os(FAIL).is_some()
}

/// Tests with a daemon of their own and one in a static, which never drops.
mod tests_that_fail_on_demand {
    use super::*;

    static SHARED: OnceCell<RedisDaemon> = OnceCell::new();

    #[with_redis]
    #[test]
    fn by_panic(redis: &RedisDaemon) {
        let shared = SHARED.get_or_try_init(RedisDaemon::start).unwrap();
        assert_ne!(redis.port(), shared.port());
        assert!(!must_fail(), "on purpose");
    }

    #[with_redis]
    #[test]
    fn by_error(redis: &RedisDaemon) -> Result<(), String> {
        let shared = SHARED.get_or_try_init(RedisDaemon::start).unwrap();
        assert_ne!(redis.port(), shared.port());
        match must_fail() {
            true => Err(String::from("on purpose")),
            false => Ok(()),
        }
    }
}

#[test]
fn tests_that_pass_or_fail_leave_nothing() {
    for fail in [false, true] {
        for name in ["by_panic", "by_error"] {
            let root = private_root();
            let name = format!("cleanup::finished_test_process::tests_that_fail_on_demand::{name}");
            let mut command = run_tests(&name, root.path());
            command.arg("--exact").env("MANAGED_DAEMONS_KEEP", "never");
            command.envs(fail.then_some((FAIL, "1")));
            let status = command.stdout(Stdio::null()).status().unwrap();
            assert_eq!(status.success(), !fail, "{name}");
            assert_eq!(leftovers(root.path()), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn a_program_that_returns_or_exits_leaves_nothing() {
    for action in ["redis once", "redis exit"] {
        let mut victim = Victim::start(action);
        victim.wait();
        assert_eq!(leftovers(victim.root()), Vec::<String>::new(), "{action}");
    }
}

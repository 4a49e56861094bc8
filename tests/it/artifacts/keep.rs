//! What is kept, and what goes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use managed_daemons::{with_redis, ManagedDaemonError, RedisDaemon};
use rstest::rstest;

use super::{entries, failing, fails, kept_of, tests};
use crate::support::{assert_nothing_left, eventually, private_root, victim_command};

const TESTS: &str = "keep::tests_that_fail_on_demand";

mod tests_that_fail_on_demand {
    use super::*;

    #[with_redis(setting("maxmemory-policy", "allkeys-lru"))]
    #[test]
    fn by_a_panic(redis: RedisDaemon) {
        assert!(!fails(), "{}", redis.port());
    }

    #[with_redis]
    #[tokio::test]
    async fn by_an_error(redis: RedisDaemon) -> Result<(), String> {
        match fails() {
            true => Err(redis.url()),
            false => Ok(()),
        }
    }

    #[with_redis]
    #[rstest]
    #[case::first(1)]
    #[case::second(2)]
    fn of_cases(#[case] number: u8, redis: RedisDaemon) {
        assert!(number == 1 || !fails(), "{}", redis.port());
    }

    #[test]
    fn without_an_attribute() {
        let _one = RedisDaemon::start().unwrap();
        let _other = RedisDaemon::start().unwrap();
        assert!(!fails());
    }

    #[with_redis]
    #[test]
    #[should_panic(expected = "as it should")]
    fn never_by_a_panic(redis: RedisDaemon) {
        panic!("as it should: {}", redis.port());
    }
}

mod failed_starts_on_demand {
    use super::*;

    fn start() -> Result<RedisDaemon, ManagedDaemonError> {
        RedisDaemon::builder().setting("maxmemory", "a lot").start()
    }

    #[test]
    fn expected() {
        assert!(start().is_err());
        let error = std::thread::spawn(start).join().unwrap().unwrap_err();
        let ManagedDaemonError::Start { kept: Some(kept), .. } = &error else {
            panic!("{error:?}");
        };
        assert!(kept.join("service.log").is_file());
        let told = format!("\n  its working directory is `{}`; it goes with", kept.display());
        assert!(error.report().contains(&told), "{}", error.report());
    }

    #[test]
    fn expected_in_a_test_that_fails() {
        assert!(start().is_err());
        let _error = start().unwrap_err();
        assert!(!fails());
    }

    #[test]
    fn unexpected() {
        let started = start();
        if fails() {
            let _redis = started.unwrap();
        }
    }
}

/// What takes a while to copy.
mod large_test_that_fails_on_demand {
    use super::*;

    #[with_redis]
    #[test]
    fn with_large_data(redis: RedisDaemon) {
        if fails() {
            std::fs::write(redis.working_dir().join("large"), vec![1; 100_000_000]).unwrap();
        }
        assert!(!fails());
    }
}

/// A test for each number, of which only the last ones are kept.
mod many_that_fail_on_demand {
    use super::*;

    #[with_redis]
    #[rstest]
    fn of_many(#[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)] number: u8, redis: RedisDaemon) {
        assert!(!fails(), "{number} {}", redis.port());
    }

    /// More often than is kept of a test.
    #[test]
    fn again_and_again() {
        for _ in 0..12 {
            let redis = RedisDaemon::start().unwrap();
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                assert!(!fails(), "{}", redis.port());
            }));
            assert_eq!(caught.is_err(), fails());
        }
        assert!(!fails());
    }
}

fn assert_private(dir: &Path) {
    let mode = dir.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode & 0o077, 0, "{}: {mode:o}", dir.display());
    for name in entries(dir) {
        let path = dir.join(name);
        if path.is_dir() {
            assert_private(&path);
        } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains("requirepass")) {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}: {mode:o}", path.display());
        }
    }
}

#[test]
fn a_failed_test_keeps_its_daemon_until_it_passes() {
    let (root, kept) = (private_root(), private_root());
    let output = failing(&format!("{TESTS}::"), root.path(), kept.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let names = [
        "by_a_panic",
        "by_an_error",
        "of_cases.case_2_second",
        "without_an_attribute",
    ];
    let expected = names.map(|name| format!("shop.it.artifacts.{}.{name}", TESTS.replace("::", ".")));
    assert_eq!(entries(kept.path()), expected);
    for name in &expected {
        let daemons = entries(&kept.path().join(name));
        match name.ends_with("without_an_attribute") {
            true => assert_eq!(daemons, ["redis", "redis-2"]),
            false => assert_eq!(daemons, ["redis"]),
        }
        let dir = kept.path().join(name).join("redis");
        assert!(
            said.contains(&format!("\n  kept    {}\n", dir.display())),
            "{name}: {said}"
        );
        assert_private(&dir);
        assert_eq!(
            entries(&dir),
            ["dump.rdb", "service.conf", "service.json", "service.log"]
        );
    }
    let dir = kept_of(kept.path(), &format!("{TESTS}::by_a_panic"), "redis");
    let conf = std::fs::read_to_string(dir.join("service.conf")).unwrap();
    assert!(conf.contains("allkeys-lru"), "{conf}");
    let log = std::fs::read_to_string(dir.join("service.log")).unwrap();
    assert!(log.contains("Ready to accept connections"), "{log}");
    assert_nothing_left(root.path());

    // The one that still fails keeps the new one alone; those that pass remove theirs.
    let output = failing(&format!("{TESTS}::without_an_attribute"), root.path(), kept.path());
    assert_eq!(entries(kept.path()), expected, "{output:?}");
    let passed = tests(&format!("{TESTS}::by_a"), root.path(), kept.path())
        .output()
        .unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert_eq!(entries(kept.path()), expected[2..]);
    let passed = tests(&format!("{TESTS}::"), root.path(), kept.path()).output().unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert_eq!(entries(kept.path()), [""; 0]);
    assert_nothing_left(root.path());
}

/// While somebody looks into what was kept, the test fails again, and then passes.
#[test]
fn a_kept_daemon_that_runs_again_is_left_alone() {
    let (root, kept) = (private_root(), private_root());
    let which = format!("{TESTS}::by_a_panic");
    failing(&which, root.path(), kept.path());
    let dir = kept_of(kept.path(), &which, "redis");
    let redis = RedisDaemon::builder().reopen(&dir).unwrap();
    failing(&which, root.path(), kept.path());
    assert_eq!(entries(dir.parent().unwrap()), ["redis", "redis-2"]);
    let passed = tests(&which, root.path(), kept.path()).output().unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert_eq!(entries(dir.parent().unwrap()), ["redis"]);
    assert!(redis.is_running() && dir.join("service.json").is_file());
    redis.close().unwrap();
}

#[test]
fn what_others_have_put_there_stays() {
    let (root, kept) = (private_root(), private_root());
    let theirs = kept.path().join("shop.it.theirs/redis");
    std::fs::create_dir_all(&theirs).unwrap();
    std::fs::write(theirs.join("service.json"), "{}").unwrap();
    failing("keep::many_that_fail_on_demand::of_many", root.path(), kept.path());
    assert_eq!(entries(kept.path()).len(), 11, "{:?}", entries(kept.path()));
    assert!(theirs.join("service.json").is_file());
}

#[test]
fn a_copy_that_was_interrupted_is_none() {
    let (root, kept) = (private_root(), private_root());
    let which = "keep::large_test_that_fails_on_demand::with_large_data";
    let mut test = tests(which, root.path(), kept.path());
    let test = test.env(super::FAIL, "1").stdout(Stdio::null()).stderr(Stdio::null());
    let mut test = test.spawn().unwrap();
    let dir = kept_of(kept.path(), which, "");
    eventually("began to copy", || {
        match std::fs::read_dir(&dir).into_iter().flatten().count() {
            // The mark of the directory is the first.
            0 | 1 => Err(()),
            _ => Ok(()),
        }
    });
    // If the copy is already there, it is whole.
    test.kill().unwrap();
    test.wait().unwrap();
    assert_nothing_left(root.path());
    for daemon in entries(&dir) {
        assert!(dir.join(daemon).join("service.json").is_file());
    }
    // Whoever keeps something next removes what is left of it.
    failing(&format!("{TESTS}::by_a_panic"), root.path(), kept.path());
    let left: Vec<_> = std::fs::read_dir(&dir).into_iter().flatten().collect();
    let left: Vec<_> = left.into_iter().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty() || left.iter().any(|name| name == "redis"), "{left:?}");
    assert!(
        !left.iter().any(|name| name.to_string_lossy().starts_with(".partial-")),
        "{left:?}"
    );
    let passed = tests(which, root.path(), kept.path()).output().unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert!(!dir.exists());
}

#[test]
fn variables_say_of_which_tests_it_is_kept() {
    let (root, kept) = (private_root(), private_root());
    let which = format!("{TESTS}::by_a_panic");
    let run = |keep: &str, fail: bool| {
        let mut command = tests(&which, root.path(), kept.path());
        command.env("MANAGED_DAEMONS_KEEP", keep);
        if fail {
            command.env(super::FAIL, "1");
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.success(), !fail, "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run("never", true);
    assert!(said.contains("\nredis ") && !said.contains("\n  kept "), "{said}");
    assert_eq!(entries(kept.path()), [""; 0]);
    run("always", false);
    assert_eq!(entries(&kept_of(kept.path(), &which, "")), ["redis"]);
    run("never", false);
    assert_eq!(entries(&kept_of(kept.path(), &which, "")), ["redis"]);
    let said = run("/tmp/somewhere", false);
    let told = "`MANAGED_DAEMONS_KEEP` is \"/tmp/somewhere\": use `failed`, `always` or `never`; `failed` is taken. \
                Where they are kept is for `MANAGED_DAEMONS_KEEP_DIR` to say";
    assert!(said.contains(told), "{said}");
    assert_eq!(entries(kept.path()), [""; 0]);
    assert_nothing_left(root.path());
}

#[test]
fn only_the_last_ten_tests_are_kept_and_ten_daemons_of_each() {
    let (root, kept) = (private_root(), private_root());
    let which = "keep::many_that_fail_on_demand::";
    failing(&format!("{which}again_and_again"), root.path(), kept.path());
    let last: Vec<String> = (3..13).map(|number| format!("redis-{number}")).collect();
    let mut daemons = entries(&kept_of(kept.path(), &format!("{which}again_and_again"), ""));
    daemons.sort_by_key(|name| (name.len(), name.clone()));
    assert_eq!(daemons, last);
    failing(&format!("{which}of_many"), root.path(), kept.path());
    assert_eq!(entries(kept.path()).len(), 10, "{:?}", entries(kept.path()));
    assert!(!kept_of(kept.path(), &format!("{which}again_and_again"), "").exists());
    assert_nothing_left(root.path());
}

#[test]
fn a_test_fails_as_before_where_nothing_can_be_kept() {
    let root = private_root();
    let output = failing(&format!("{TESTS}::by_a_panic"), root.path(), Path::new("/proc/nowhere"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("\n  kept    nothing: `/proc/nowhere/shop.it."), "{said}");
    assert!(said.contains("\n  log     since the test began\n"), "{said}");
    assert_nothing_left(root.path());
}

#[test]
fn a_failed_start_is_kept_if_its_test_fails() {
    let starts = "keep::failed_starts_on_demand::";
    let (root, kept) = (private_root(), private_root());
    let output = failing(starts, root.path(), kept.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let names = ["expected_in_a_test_that_fails", "unexpected"];
    assert_eq!(
        entries(kept.path()),
        names.map(|name| format!("shop.it.artifacts.keep.failed_starts_on_demand.{name}"))
    );
    for name in names {
        let dir = kept_of(kept.path(), &format!("{starts}{name}"), "redis");
        assert_eq!(entries(dir.parent().unwrap()), ["redis"]);
        assert!(dir.join("service.log").is_file() && !dir.join(".undecided").exists());
        let told = format!("\n  its working directory is kept in `{}`\n", dir.display());
        assert_eq!(said.contains(&told), name == "unexpected", "{said}");
    }
    // What passes leaves nothing, and takes nothing away.
    let passed = tests(starts, root.path(), kept.path()).output().unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert_eq!(entries(kept.path()), [""; 0]);
    failing("keep::many_that_fail_on_demand::of_many", root.path(), kept.path());
    let before = entries(kept.path());
    assert_eq!(before.len(), 10);
    let passed = tests(starts, root.path(), kept.path()).output().unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert_eq!(entries(kept.path()), before);
    assert_nothing_left(root.path());
}

#[test]
fn a_failed_start_of_a_program_is_kept_under_the_programs_name() {
    let (root, kept) = (private_root(), private_root());
    for _ in 0..2 {
        let mut command = victim_command("redis fail", root.path());
        command
            .env_remove("MANAGED_DAEMONS_KEEP")
            .env("MANAGED_DAEMONS_KEEP_DIR", kept.path())
            .env("CARGO_PKG_NAME", "shop");
        let output = command.output().unwrap();
        assert!(!output.status.success());
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        let dir = kept.path().join("shop.victim/redis");
        assert!(report.contains(&format!("kept in `{}`", dir.display())), "{report}");
        assert!(dir.join("service.log").is_file());
        assert_eq!(entries(&kept.path().join("shop.victim")), ["redis"]);
    }
}

//! A failed start says what failed, in which phase, with the daemon's own words, and leaves no process.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use managed_daemons::{ManagedDaemonError, Phase, RedisDaemon};
use managed_daemons_tests::{leftovers, processes_of};

use crate::support::{private_root, unruly, FAR};

/// What a failed start has said: phase, everything it said, and the directory it kept. That one is removed here.
fn failed<T: std::fmt::Debug>(result: Result<T, ManagedDaemonError>) -> (Phase, String, Option<String>) {
    let error = result.unwrap_err();
    let report = error.report();
    let ManagedDaemonError::Start { phase, kept, .. } = error else {
        panic!("not a failed start: {report}");
    };
    let log = kept.as_ref().map(|dir| {
        assert!(report.contains(&dir.display().to_string()), "{report}");
        let log = std::fs::read_to_string(dir.join("service.log")).unwrap_or_default();
        std::fs::remove_dir_all(dir).unwrap();
        log
    });
    (phase, report, log)
}

#[test]
fn a_bad_directive_is_named_by_redis_itself_at_once() {
    let root = private_root();
    let begin = Instant::now();
    let builder = RedisDaemon::builder()
        .directive("maxmemory", "a-lot")
        .temp_root(root.path())
        .start_timeout(FAR);
    let (phase, report, log) = failed(builder.start());
    assert!(begin.elapsed() < FAR);
    assert_eq!(phase, Phase::Readiness);
    for said in [
        "redis did not start",
        "exit status: 1",
        "maxmemory a-lot",
        "argument must be a memory value",
    ] {
        assert!(report.contains(said), "no {said:?} in {report}");
    }
    assert!(log.unwrap().contains("argument must be a memory value"));
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

#[test]
fn one_that_exits_at_once_is_not_waited_for() {
    let begin = Instant::now();
    let (_, report, _) = failed(unruly("exit-at-once").start_timeout(FAR).start());
    assert!(begin.elapsed() < FAR);
    assert!(report.contains("exit status: 7"), "{report}");
    assert!(
        report.contains("| cannot go on: the moon is in the wrong phase"),
        "{report}"
    );
}

#[test]
fn one_that_never_answers_is_given_up_after_the_timeout() {
    for (mode, last) in [("never-ready", "refused"), ("silent", "last probe")] {
        let root = private_root();
        let builder = unruly(mode)
            .start_timeout(Duration::from_millis(300))
            .temp_root(root.path());
        let (phase, report, log) = failed(builder.start());
        assert_eq!(phase, Phase::Readiness);
        assert!(report.contains("not ready within 300ms"), "{report}");
        assert!(report.contains(last), "{report}");
        assert!(report.contains("wrote nothing to its log"), "{report}");
        assert_eq!(log.as_deref(), Some(""));
        assert_eq!(leftovers(root.path()), Vec::<String>::new());
    }
}

#[test]
fn a_users_directory_is_kept_where_it_is() {
    let root = private_root();
    let dir = root.path().join("mine");
    let error = unruly("exit-at-once").working_dir(&dir).start().unwrap_err();
    assert!(
        error.report().contains(&dir.display().to_string()),
        "{}",
        error.report()
    );
    assert!(dir.join("service.log").is_file());
    assert_eq!(processes_of(root.path()), []);
}

#[test]
fn a_failed_restart_leaves_no_process_and_the_next_can_succeed() {
    let root = private_root();
    let daemon = RedisDaemon::builder()
        .working_dir(root.path().join("mine"))
        .start()
        .unwrap();
    daemon.stop().unwrap();
    let conf = daemon.working_dir().join("service.conf");
    let good = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{good}nonsense yes\n")).unwrap();
    let error = daemon.start_if_not_running().unwrap_err().to_string();
    assert!(error.contains("nonsense"), "{error}");
    assert!(!daemon.is_running());
    assert_eq!(processes_of(daemon.working_dir()), []);
    std::fs::write(&conf, good).unwrap();
    assert!(daemon.start_if_not_running().unwrap());
}

#[test]
fn a_binary_that_is_not_there_or_not_a_daemon_is_named() {
    for path in ["/nonexistent/redis-server", "/etc/passwd", "/"] {
        let (phase, report, _) = failed(RedisDaemon::builder().binary(path).start());
        assert!(matches!(phase, Phase::Find | Phase::Spawn), "{phase}");
        assert!(report.contains(path), "{report}");
    }
}

#[test]
fn a_failed_set_up_fails_the_test_at_its_own_line() {
    let shelf = private_root();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "victims::cannot_start"])
        .env("MANAGED_DAEMONS_KEEP", shelf.path())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    let source = include_str!("victims.rs");
    let line = source.lines().position(|line| line.contains("a-lot")).unwrap() + 1;
    let here = format!("victims.rs:{line}:");
    let kept: Vec<PathBuf> = std::fs::read_dir(shelf.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(kept.len(), 1, "{said}");
    for word in [
        &here,
        "readiness",
        "exit status: 1",
        "memory value",
        &kept[0].display().to_string(),
    ] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    assert_eq!(said.matches("panicked at").count(), 1, "{said}");
}

#[test]
fn only_so_many_directories_are_kept() {
    let shelf = private_root();
    for _ in 0..23 {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "victims::cannot_start"])
            .env("MANAGED_DAEMONS_KEEP", shelf.path())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success());
    }
    assert_eq!(std::fs::read_dir(shelf.path()).unwrap().count(), 20);
}

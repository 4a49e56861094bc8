//! A failed start reports what failed, in which phase, in the daemon's own words, and leaves no
//! process.

use std::time::{Duration, Instant};

use managed_daemons::{ManagedDaemonError, Phase, RedisDaemon};
use managed_daemons_tests::{leftovers, processes_of};

use crate::support::{is_plain_run, private_root, unruly, FAR};

/// The phase, the report and the daemon's log of a failed start. Removes the directory it kept.
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
fn a_bad_setting_is_reported_at_once_in_the_words_of_redis() {
    let root = private_root();
    let begin = Instant::now();
    let builder = RedisDaemon::builder()
        .setting("maxmemory", "a-lot")
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
fn a_daemon_that_exits_at_once_is_not_waited_for() {
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
fn a_daemon_that_never_answers_is_given_up_after_the_time_out() {
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
fn a_users_directory_stays_where_it_is() {
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
fn a_failed_restart_leaves_no_process_and_the_next_may_succeed() {
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
fn a_binary_that_is_missing_or_is_no_program_is_named() {
    for path in ["/nonexistent/redis-server", "/etc/passwd", "/"] {
        let (phase, report, _) = failed(RedisDaemon::builder().binary(path).start());
        assert!(matches!(phase, Phase::Find | Phase::Spawn), "{phase}");
        assert!(report.contains(path), "{report}");
    }
}

#[test]
fn an_error_says_the_reason_in_its_first_line_and_nothing_twice() {
    let root = private_root();
    let error = RedisDaemon::builder()
        .setting("nonsense", "yes")
        .temp_root(root.path())
        .start()
        .unwrap_err();
    let message = error.to_string();
    let first = message.lines().next().unwrap();
    assert!(first.starts_with("redis did not start: 'nonsense yes': "), "{message}");
    let log = std::error::Error::source(&error).unwrap();
    assert!(log.to_string().starts_with("the last lines of its log:\n"), "{log}");
    assert!(std::error::Error::source(log).is_none());
    assert!(!log.to_string().contains(first), "{log}");
    // For `unwrap`, and for `fn main() -> Result`.
    assert_eq!(format!("{error:?}"), format!("{message}\n  caused by: {log}"));
}

#[test]
fn an_error_without_a_log_has_its_reason_once() {
    let error = RedisDaemon::builder().setting("port", "1").start().unwrap_err();
    assert_eq!(error.report(), error.to_string());
    assert_eq!(error.report().matches("`port` is set by the framework").count(), 1);
}

#[test]
fn the_error_of_a_start_says_so_if_fast_paths_were_on() {
    let failure = |builder: managed_daemons::PostgresBuilder| {
        let message = builder.setting("shared_bufers", "1MB").start().unwrap_err().to_string();
        let (first, details) = message.split_once('\n').unwrap();
        assert!(
            first.starts_with("postgres did not start: ") && first.contains("FATAL: "),
            "{first}"
        );
        assert!(
            details.contains("unrecognized configuration parameter \"shared_bufers\""),
            "{details}"
        );
        first.to_owned()
    };
    let fast = failure(managed_daemons_tests::postgres());
    if !is_plain_run() {
        assert!(
            fast.ends_with("fast paths were on, which MANAGED_DAEMONS_PLAIN=1 turns off"),
            "{fast}"
        );
    }
    let plain = failure(managed_daemons_tests::postgres().plain());
    assert!(!plain.contains("fast paths"), "{plain}");
}

//! Other versions of daemons than the host's own, and data that other versions have made.
//!
//! Tests with large downloads run only where `MANAGED_DAEMONS_TEST_FULL` is set.

use std::path::Path;

use managed_daemons::{Builder, Daemon, Flavor, ManagedDaemon, MySqlDaemon, Phase, PostgresDaemon, RabbitMqDaemon};
use managed_daemons::{RedisDaemon, ValkeyDaemon};
use managed_daemons_tests::postgres;

use crate::support::{get, is_full_run, private_root, set};

/// Checks that a start fails in the phase `configure` with this text, and that it has changed
/// nothing in the directory.
#[track_caller]
fn assert_refused<D: Daemon>(builder: Builder<D>, dir: &Path, expected: &str) {
    let files = || ["service.json", "service.log"].map(|name| std::fs::read_to_string(dir.join(name)).unwrap());
    let before = files();
    let report = failure_in_users_directory(builder.working_dir(dir));
    assert!(report.contains(expected), "no `{expected}` in:\n{report}");
    assert!(!report.contains("last lines of its log"), "{report}");
    assert_eq!(files(), before);
}

/// The report of a start that failed in the phase `configure`.
#[track_caller]
fn failure_in_users_directory<D: Daemon>(builder: Builder<D>) -> String {
    let error = builder.start().unwrap_err();
    assert!(
        matches!(
            error,
            managed_daemons::ManagedDaemonError::Start {
                phase: Phase::Configure,
                ..
            }
        ),
        "{error:?}"
    );
    error.report()
}

#[test]
fn data_of_another_major_version_of_postgres_are_refused_before_anything_starts() {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = postgres().working_dir(&dir).start().unwrap();
    daemon.query("CREATE TABLE t AS SELECT 'kept' AS what").unwrap();
    let version = daemon.version().to_owned();
    daemon.close().unwrap();
    let file = dir.join("data/PG_VERSION");
    let own = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "9\n").unwrap();
    assert_refused(
        postgres(),
        &dir,
        &format!("`{}`: holds data of PostgreSQL 9, and `", dir.display()),
    );
    assert_refused(
        postgres(),
        &dir,
        &format!("is {version}, which can't read them; ask for `version(\"9\")`"),
    );
    let error = PostgresDaemon::load(&dir).unwrap_err().report();
    assert!(error.contains("holds data of PostgreSQL 9"), "{error}");
    std::fs::write(&file, own).unwrap();
    let daemon = postgres().working_dir(&dir).start().unwrap();
    assert_eq!(
        daemon.query("SELECT what FROM t").unwrap()[0][0].as_deref(),
        Some("kept")
    );
}

#[test]
fn a_snapshot_in_a_later_format_is_refused_before_redis_starts() {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    set(&daemon, "what", "kept").unwrap();
    let version = daemon.version().to_owned();
    daemon.close().unwrap();
    let file = dir.join("dump.rdb");
    let own = std::fs::read(&file).unwrap();
    std::fs::write(&file, [b"REDIS9999", &own[9..]].concat()).unwrap();
    if version.starts_with("7.0") {
        assert_refused(
            RedisDaemon::builder(),
            &dir,
            "which can't read `dump.rdb`: it is in format 9999, and the server reads up to format 10",
        );
    }
    std::fs::write(&file, own).unwrap();
    let daemon = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    assert_eq!(get(&daemon, "what").unwrap().as_deref(), Some("kept"));
}

#[test]
fn a_failed_start_shows_the_log_since_it_began() {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = postgres().working_dir(&dir).start().unwrap();
    daemon
        .query("DO $$ BEGIN RAISE LOG 'a word of the former run'; END $$")
        .unwrap();
    daemon.close().unwrap();
    let builder = postgres().working_dir(&dir).setting("max_connections", "0");
    let report = builder.start().unwrap_err().report();
    assert!(report.contains("0 is outside the valid range"), "{report}");
    assert!(!report.contains("the former run"), "{report}");
    let log = std::fs::read_to_string(dir.join("service.log")).unwrap();
    assert!(log.contains("a word of the former run"), "{log}");
    // So does a restart.
    let daemon = postgres()
        .working_dir(&dir)
        .setting("max_connections", "50")
        .start()
        .unwrap();
    daemon.query("DO $$ BEGIN RAISE LOG 'a later word'; END $$").unwrap();
    let conf = dir.join("service.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, text + "max_connections = 0\n").unwrap();
    let report = daemon.restart().unwrap_err().report();
    assert!(report.contains("0 is outside the valid range"), "{report}");
    assert!(
        !report.contains("a later word") && !report.contains("the former run"),
        "{report}"
    );
}

/// Starts a daemon in a directory of its own, and leaves its data there.
fn leave_data<D: Daemon>(builder: Builder<D>, dir: &Path, fill: impl FnOnce(&ManagedDaemon<D>)) {
    let daemon = builder
        .working_dir(dir)
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    fill(&daemon);
    daemon.close().unwrap();
}

/// On Debian 12: versions that its own suite, later ones and npm have.
fn is_bookworm() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    release.contains("VERSION_CODENAME=bookworm")
}

#[test]
fn data_of_later_versions_are_refused_before_anything_starts() {
    if !is_full_run() || !is_bookworm() {
        return;
    }
    let root = private_root();
    let at = |name: &str| root.path().join(name);
    leave_data(RedisDaemon::builder().suite("trixie"), &at("redis"), |redis| {
        set(redis, "what", "kept").unwrap()
    });
    assert_refused(
        RedisDaemon::builder().version("7"),
        &at("redis"),
        "holds data of redis 8.0",
    );
    leave_data(ValkeyDaemon::builder().suite("sid"), &at("valkey"), |_| {});
    assert_refused(
        ValkeyDaemon::builder().suite("trixie"),
        &at("valkey"),
        "holds data of valkey 9.1",
    );
    let postgres = || PostgresDaemon::builder();
    leave_data(postgres().suite("trixie"), &at("postgres"), |_| {});
    assert_refused(
        postgres().version("15"),
        &at("postgres"),
        "holds data of PostgreSQL 17, and",
    );
    leave_data(postgres().version("15"), &at("earlier"), |_| {});
    assert_refused(
        postgres().suite("trixie"),
        &at("earlier"),
        "holds data of PostgreSQL 15, and",
    );
    let mariadb = || MySqlDaemon::builder().flavor(Flavor::MariaDb);
    leave_data(RabbitMqDaemon::builder().suite("trixie"), &at("rabbitmq"), |_| {});
    assert_refused(
        RabbitMqDaemon::builder().version("3"),
        &at("rabbitmq"),
        "holds data of RabbitMQ 4.0",
    );
    leave_data(RabbitMqDaemon::builder().version("3"), &at("old"), |_| {});
    assert_refused(
        RabbitMqDaemon::builder().suite("trixie"),
        &at("old"),
        "which can read data of 3.13 and later",
    );
    // What made the data still runs on them.
    let redis = RedisDaemon::builder()
        .suite("trixie")
        .working_dir(at("redis"))
        .start()
        .unwrap();
    assert_eq!(get(&redis, "what").unwrap().as_deref(), Some("kept"));
    // And so does a later version of those that can.
    leave_data(RedisDaemon::builder().version("7"), &at("seven"), |redis| {
        set(redis, "what", "kept").unwrap()
    });
    let redis = RedisDaemon::builder()
        .suite("trixie")
        .working_dir(at("seven"))
        .start()
        .unwrap();
    assert_eq!(get(&redis, "what").unwrap().as_deref(), Some("kept"));
    leave_data(mariadb().version("10"), &at("ten"), |_| {});
    assert!(mariadb()
        .suite("trixie")
        .working_dir(at("ten"))
        .start()
        .unwrap()
        .is_running());
}

#[test]
fn the_oldest_versions_of_postgres_have_everything() {
    if !is_full_run() {
        return;
    }
    if !has_npm() {
        let report = PostgresDaemon::builder().version("10").start().unwrap_err().report();
        assert!(report.contains("install `npm`"), "{report}");
        return;
    }
    for version in ["10", "11", "12"] {
        let primary = PostgresDaemon::builder()
            .version(version)
            .database("shop")
            .extra_user("reader", "s3cret")
            .init_sql("CREATE TABLE item (name text); GRANT SELECT ON item TO reader")
            .start()
            .unwrap_or_else(|error| panic!("{}", error.report()));
        assert!(primary.version().starts_with(version));
        let replica = primary.replica().unwrap_or_else(|error| panic!("{}", error.report()));
        primary.query("INSERT INTO item VALUES ('chair')").unwrap();
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(
            replica.query("SELECT name FROM item").unwrap()[0][0].as_deref(),
            Some("chair")
        );
        primary.kill().unwrap();
        replica.promote().unwrap();
        replica.query("INSERT INTO item VALUES ('table')").unwrap();
        replica.restart().unwrap();
        assert_eq!(
            replica.query("SELECT count(*) FROM item").unwrap()[0][0].as_deref(),
            Some("2")
        );
        let lean = PostgresDaemon::builder().version(version).lean().start().unwrap();
        assert_eq!(lean.query("SHOW max_connections").unwrap()[0][0].as_deref(), Some("20"));
    }
}

/// Whether there is the program that fetches them.
fn has_npm() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join("npm").is_file())
}

//! Streaming replicas.

use std::time::Duration;

use managed_daemons::{ManagedDaemonError, PostgresDaemon};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{builder, connect, runtime, start, value};
use crate::support::eventually;

/// The same server with another handle, which waits for less time.
fn impatient(daemon: PostgresDaemon) -> PostgresDaemon {
    let dir = daemon.detach().unwrap();
    let builder = PostgresDaemon::builder().start_timeout(Duration::from_secs(3));
    builder.load(dir).unwrap_or_else(|error| panic!("{}", error.report()))
}

#[test]
fn a_replica_follows_its_primary() {
    let primary = start(
        builder()
            .database("app")
            .extra_user("reader", "p'w")
            .setting("max_connections", "50")
            .init_sql("CREATE TABLE t (n int); GRANT SELECT ON t TO reader; INSERT INTO t VALUES (1)"),
    );
    primary.query("INSERT INTO t VALUES (2)").unwrap();
    let replica = primary.replica().unwrap_or_else(|error| panic!("{}", error.report()));
    assert_ne!(replica.port(), primary.port());
    primary
        .query("INSERT INTO t SELECT * FROM generate_series(3, 10000)")
        .unwrap();
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(value(&replica, "SELECT count(*) FROM t"), "10000");
    let error = replica.query("INSERT INTO t VALUES (0)").unwrap_err().to_string();
    assert!(error.contains("25006"), "{error}");
    runtime().block_on(async {
        let reader = connect(&replica.user_url("reader").unwrap()).await.unwrap();
        reader.query_one("SELECT max(n) FROM t", &[]).await.unwrap();
    });
    // The sender of the log may say so a moment after the replica has all of it.
    let streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    eventually("streaming", || match value(&primary, streaming) {
        count if count == "1" => Ok(()),
        other => Err(other),
    });
}

#[test]
fn a_replica_catches_up_after_a_stop_or_kill_of_either_server() {
    let primary = start(builder());
    let replica = primary.replica().unwrap();
    primary.query("CREATE TABLE t (n int)").unwrap();
    replica.stop().unwrap();
    primary
        .query("INSERT INTO t SELECT * FROM generate_series(1, 100000)")
        .unwrap();
    primary.query("CHECKPOINT").unwrap();
    replica.start_if_not_running().unwrap();
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(value(&replica, "SELECT count(*) FROM t"), "100000");
    primary.kill().unwrap();
    assert_eq!(
        value(&replica, "SELECT count(*) FROM t"),
        "100000",
        "a replica answers without its primary"
    );
    primary.start_if_not_running().unwrap();
    replica.kill().unwrap();
    replica.start_if_not_running().unwrap();
    primary.query("DELETE FROM t").unwrap();
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(value(&replica, "SELECT count(*) FROM t"), "0");
}

#[test]
fn a_promoted_replica_can_be_written_to() {
    let primary = start(builder().init_sql("CREATE TABLE t (n int)"));
    let replica = primary.replica().unwrap();
    replica.catch_up_with(&primary).unwrap();
    primary.kill().unwrap();
    replica.promote().unwrap();
    replica.query("INSERT INTO t VALUES (1)").unwrap();
    replica.restart().unwrap();
    assert_eq!(value(&replica, "SELECT count(*) FROM t"), "1");
}

#[test]
fn a_loaded_replica_follows_its_primary_beside_another() {
    let primary = start(builder());
    let (one, two) = (primary.replica().unwrap(), primary.replica().unwrap());
    let dir = two.detach().unwrap();
    let two = PostgresDaemon::load(&dir).unwrap();
    two.restart().unwrap();
    primary.query("CREATE TABLE t AS SELECT 5 AS n").unwrap();
    for replica in [&one, &two] {
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(value(replica, "SELECT n FROM t"), "5");
    }
    two.destroy().unwrap();
}

#[test]
fn what_was_committed_without_waiting_arrives_too() {
    let lazy = builder()
        .setting("synchronous_commit", "off")
        .setting("wal_writer_delay", "10s");
    let primary = start(lazy.init_sql("CREATE TABLE t (n int)"));
    let replica = primary.replica().unwrap();
    for count in ["1", "2", "3"] {
        primary.query("INSERT INTO t VALUES (1)").unwrap();
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(value(&replica, "SELECT count(*) FROM t"), count);
    }
}

#[test]
fn a_replica_has_the_access_rules_of_its_primary() {
    let open = builder()
        .extra_user("guest", "unused")
        .hba("host all guest 127.0.0.1/32 trust");
    let replica = start(open).replica().unwrap();
    let url = format!("postgresql://guest@127.0.0.1:{}/postgres", replica.port());
    runtime().block_on(async {
        connect(&url).await.unwrap();
    });
}

#[test]
fn a_server_that_is_no_replica_says_so() {
    let (one, other) = (start(builder()), start(builder()));
    let promoted = one.replica().unwrap();
    promoted.promote().unwrap();
    for error in [
        one.catch_up_with(&other).unwrap_err(),
        one.promote().unwrap_err(),
        promoted.catch_up_with(&one).unwrap_err(),
        promoted.promote().unwrap_err(),
    ] {
        assert!(matches!(error, ManagedDaemonError::State { .. }), "{error:?}");
        assert!(error.to_string().contains("no replica"), "{error}");
    }
}

#[test]
fn a_replica_does_not_catch_up_with_a_server_that_it_does_not_follow() {
    let (one, other) = (start(builder()), start(builder()));
    let replica = one.replica().unwrap();
    // It is ahead of the other server.
    one.query("CREATE TABLE t AS SELECT generate_series(1, 100000)")
        .unwrap();
    replica.catch_up_with(&one).unwrap();
    let replica = impatient(replica);
    let error = replica.catch_up_with(&other).unwrap_err();
    assert!(matches!(error, ManagedDaemonError::Timeout { .. }), "{error:?}");
    assert!(error.to_string().contains("may follow another server"), "{error}");
    replica.destroy().unwrap();
}

#[test]
fn a_promotion_that_takes_too_long_is_an_error() {
    let primary = start(builder());
    let replica = impatient(primary.replica().unwrap());
    let startup = value(
        &replica,
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'",
    );
    let startup = Pid::from_raw(startup.parse().unwrap());
    kill(startup, Signal::SIGSTOP).unwrap();
    let error = replica.promote().unwrap_err();
    assert!(matches!(error, ManagedDaemonError::Timeout { .. }), "{error:?}");
    kill(startup, Signal::SIGCONT).unwrap();
    replica.destroy().unwrap();
}

#[test]
fn a_replication_slot_keeps_all_that_its_reader_has_not_read() {
    let daemon = start(builder().setting("wal_level", "logical"));
    daemon
        .query("SELECT pg_create_logical_replication_slot('reader', 'test_decoding')")
        .unwrap();
    daemon
        .query("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        .unwrap();
    // 300 MB of WAL, most of which is empty.
    let segment = "SELECT pg_logical_emit_message(false, 'test', 'x'); SELECT pg_switch_wal();";
    daemon.query(&segment.repeat(300)).unwrap();
    daemon.query("CHECKPOINT").unwrap();
    let changes = daemon.query("SELECT data FROM pg_logical_slot_get_changes('reader', NULL, NULL)");
    let changes = changes.unwrap_or_else(|error| panic!("{}", error.report()));
    let inserted = "table public.t: INSERT: n[integer]:1";
    assert!(
        changes.iter().any(|row| row[0].as_deref() == Some(inserted)),
        "{changes:?}"
    );
}

//! Streaming replicas.

use managed_daemons::PostgresDaemon;

use super::{builder, connect, runtime, start, value};

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
    assert_eq!(
        value(
            &primary,
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        ),
        "1"
    );
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
fn a_server_that_is_no_replica_says_so() {
    let (one, other) = (start(builder()), start(builder()));
    let error = one.catch_up_with(&other).unwrap_err().to_string();
    assert!(error.contains("no replica"), "{error}");
}

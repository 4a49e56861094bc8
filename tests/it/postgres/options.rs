//! Databases, roles, settings, locales, and options that can't be used.

use managed_daemons::PostgresDaemon;

use super::{builder, connect, refusal, runtime, start, value};
use crate::support::is_plain_run;

#[test]
fn hba_lines_come_before_ours_and_survive_a_load() {
    let dir = crate::support::private_root();
    let at = dir.path().join("mine");
    let lines = || {
        builder()
            .hba("host all guest 127.0.0.1/32 trust")
            .hba("host all banned 127.0.0.1/32 reject")
    };
    let daemon = start(
        lines()
            .extra_user("guest", "a")
            .extra_user("banned", "b")
            .working_dir(&at),
    );
    let check = |daemon: &PostgresDaemon| {
        let port = daemon.port();
        runtime().block_on(async {
            let guest = connect(&format!("postgresql://guest@127.0.0.1:{port}/postgres")).await;
            assert!(guest.is_ok());
            let banned = connect(&daemon.user_url("banned").unwrap()).await.unwrap_err();
            let words = banned.as_db_error().unwrap().message().to_owned();
            assert!(words.contains("pg_hba.conf rejects connection"), "{words}");
            assert!(connect(&daemon.url()).await.is_ok());
        });
    };
    check(&daemon);
    daemon.stop().unwrap();
    drop(daemon);
    let daemon = PostgresDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    check(&daemon);
}

#[test]
fn a_malformed_hba_line_is_refused_in_the_servers_words() {
    let report = refusal(builder().hba("hots all all 127.0.0.1/32 trust"));
    assert!(report.contains("`hba`: invalid connection type \"hots\""), "{report}");
    let report = refusal(builder().hba("host all all 127.0.0.1/32 trust\nlocal all all trust"));
    assert!(report.contains("option `hba`: must be one line"), "{report}");
}

#[test]
fn extra_databases_and_users_can_be_used() {
    let daemon = start(
        builder()
            .database("app")
            .extra_database("audit")
            .extra_database("we\"ird")
            .extra_user("reader", "p'w\\")
            .extra_user("it's me", "ünïcode")
            .init_sql("CREATE TABLE t AS SELECT 7 AS n; GRANT SELECT ON t TO reader"),
    );
    let names = value(
        &daemon,
        "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database",
    );
    assert_eq!(names, "app,audit,postgres,template0,template1,we\"ird");
    runtime().block_on(async {
        for database in ["audit", "we\"ird", "template1"] {
            let row = connect(&daemon.database_url(database))
                .await
                .unwrap()
                .query_one("SELECT current_database()::text", &[])
                .await;
            assert_eq!(row.unwrap().get::<_, String>(0), database);
        }
        let reader = connect(&daemon.user_url("reader").unwrap()).await.unwrap();
        assert_eq!(
            reader.query_one("SELECT n FROM t", &[]).await.unwrap().get::<_, i32>(0),
            7
        );
        let refused = reader.batch_execute("DELETE FROM t").await.unwrap_err();
        assert_eq!(
            refused.code(),
            Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE)
        );
        connect(&daemon.user_url("it's me").unwrap()).await.unwrap();
    });
    assert_eq!(daemon.user_url("nobody"), None);
}

#[test]
fn databases_can_be_created_and_dropped() {
    let daemon = start(builder());
    daemon.query("CREATE DATABASE one").unwrap();
    daemon
        .query("CREATE DATABASE two TEMPLATE template0 LC_CTYPE 'C'")
        .unwrap();
    daemon.query("DROP DATABASE one").unwrap();
}

#[test]
fn settings_override_the_defaults_and_earlier_settings() {
    let daemon = start(
        builder()
            .setting("shared_buffers", "8MB")
            .setting("shared_buffers", "9MB")
            .setting("search_path", "\"it's\", public")
            .setting("cluster_name", "a'b\\c #d"),
    );
    assert_eq!(value(&daemon, "SHOW shared_buffers"), "9MB");
    assert_eq!(value(&daemon, "SHOW search_path"), "\"it's\", public");
    assert_eq!(value(&daemon, "SHOW cluster_name"), "a'b\\c #d");
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let daemon = start(builder());
    for (name, expected) in [
        ("fsync", "off"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("max_connections", "100"),
        ("wal_level", "replica"),
        ("listen_addresses", "127.0.0.1"),
        ("dynamic_shared_memory_type", "mmap"),
        ("password_encryption", "scram-sha-256"),
        ("server_encoding", "UTF8"),
    ] {
        assert_eq!(value(&daemon, &format!("SHOW {name}")), expected, "{name}");
    }
    // What the framework does not set has the default of the installation.
    assert_eq!(value(&daemon, "SELECT lower('ÄÉ') || upper('ß')"), "äéß");
    assert_eq!(value(&daemon, "SELECT min(x) FROM (VALUES ('a'), ('B')) v(x)"), "B");
    assert_eq!(value(&daemon, "SELECT to_tsvector('running')"), "'run':1");
}

/// The work of making the template does not show in the statistics.
#[test]
fn a_new_server_has_no_statistics() {
    if is_plain_run() {
        return; // the statistics include the making of the template
    }
    let daemon = start(builder().init_sql("CREATE TABLE item AS SELECT 1 AS id"));
    let written = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del + vacuum_count), 0) FROM pg_stat_all_tables";
    assert_eq!(value(&daemon, written), "0");
    assert_eq!(value(&daemon, "SELECT id FROM item"), "1");
}

#[test]
fn locale_and_encoding_can_be_chosen() {
    let daemon = start(builder().locale("C").encoding("LATIN1"));
    assert_eq!(value(&daemon, "SHOW server_encoding"), "LATIN1");
    assert_eq!(
        value(
            &daemon,
            "SELECT datctype::text FROM pg_database WHERE datname = 'postgres'"
        ),
        "C"
    );
    let daemon = start(builder().encoding("SQL_ASCII"));
    assert_eq!(value(&daemon, "SHOW server_encoding"), "SQL_ASCII");
    let report = refusal(builder().locale("xx_XX.nonsense"));
    assert!(report.contains("xx_XX.nonsense"), "{report}");
}

#[test]
fn a_lean_server_runs_plain_sql() {
    let daemon = start(
        builder()
            .lean()
            .database("app")
            .init_sql("CREATE TABLE t AS SELECT 1 AS n"),
    );
    let names = value(
        &daemon,
        "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database",
    );
    assert_eq!(names, "app,postgres");
    assert_eq!(value(&daemon, "SELECT n FROM t"), "1");
    daemon.restart().unwrap();
    assert_eq!(value(&daemon, "SHOW max_connections"), "20");
    daemon.query("CREATE DATABASE copy TEMPLATE postgres").unwrap();
}

/// A plain start sets the password by SQL, and copies everything before the server runs.
#[test]
fn a_plain_server_has_what_was_asked_for() {
    let daemon = start(builder().plain().database("app").extra_database("audit"));
    assert_eq!(value(&daemon, "SELECT current_database()"), "app");
    let url = daemon.database_url("audit");
    let password = daemon.password().unwrap();
    runtime().block_on(async {
        connect(&url).await.unwrap();
        assert!(connect(&url.replace(password, "another")).await.is_err());
    });
}

#[test]
fn page_checksums_can_be_chosen() {
    for (builder, expected) in [(builder(), "off"), (builder().data_checksums(), "on")] {
        assert_eq!(value(&start(builder), "SHOW data_checksums"), expected);
    }
}

#[test]
fn unusable_options_are_refused_with_a_reason() {
    for (broken, why) in [
        (builder().username(""), "is empty"),
        (builder().username("pg_me"), "keeps for itself"),
        (builder().username("O'Neil"), "owner of its extensions"),
        (builder().username("a\0b"), "NUL"),
        (builder().username("a\nb"), "end of a line"),
        (builder().database("x".repeat(64)), "63 bytes"),
        (builder().database("template1"), "created from"),
        (builder().password(""), "without_password"),
        (builder().password("a\0b"), "NUL"),
        (builder().extra_user("postgres", "x"), "twice"),
        (builder().extra_user("r", ""), "empty"),
        (builder().extra_database("postgres"), "twice"),
        (builder().extension("a\0b"), "NUL"),
        (builder().setting("work mem", "1"), "not the name of a setting"),
        (builder().setting("x = 1\nfsync", "on"), "not the name of a setting"),
        (builder().setting("Port", "1"), "use `port`"),
        (builder().setting("work_mem", "1\0"), "NUL"),
        (builder().setting("dynamic_shared_memory_type", "posix"), "outlive"),
        (builder().encoding(""), "empty"),
        (builder().scram_iterations(0), "at least 1"),
    ] {
        let report = refusal(broken);
        assert!(report.contains(why), "no {why:?} in {report}");
    }
}

//! PostgreSQL's client programs: psql, dumps and others.

use managed_daemons::{ManagedDaemonError, PostgresDaemon};

use super::{builder, output, start, value};

fn has(daemon: &PostgresDaemon, program: &str) -> bool {
    match daemon.client(program) {
        Ok(_) => true,
        Err(ManagedDaemonError::BinaryNotFound { .. }) => false,
        Err(error) => panic!("{}", error.report()),
    }
}

#[test]
fn psql_stops_at_the_first_error_and_has_no_password_in_its_arguments() {
    let daemon = start(builder());
    let Some(text) = output(daemon.psql(), &["-At", "-c", "SELECT 1", "-c", "SELECT current_user"]) else {
        return;
    };
    assert_eq!(text, "1\npostgres\n");
    let failed = daemon
        .psql()
        .unwrap()
        .args(["-c", "SELECT nonsense", "-c", "SELECT 1"])
        .output()
        .unwrap();
    assert!(!failed.status.success());
    assert!(failed.stdout.is_empty());
    assert!(
        !format!("{:?}", daemon.psql().unwrap().get_args().collect::<Vec<_>>()).contains(daemon.password().unwrap())
    );
}

#[test]
fn a_dump_can_be_restored_into_another_server() {
    let one = start(
        builder()
            .database("from")
            .init_sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n"),
    );
    if !has(&one, "pg_dump") || !has(&one, "pg_restore") {
        return;
    }
    // An older pg_dump refuses a newer server.
    let version = output(one.client("pg_dump"), &["--version"]).unwrap();
    if !version.contains(&format!(" {}.", one.version().split('.').next().unwrap())) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a dump");
    one.dump(&file).unwrap_or_else(|error| panic!("{}", error.report()));
    let other = start(builder().database("in'to"));
    other
        .restore(&file)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(value(&other, "SELECT sum(n) FROM t"), "500500");
    let error = other.restore(&file).unwrap_err().to_string();
    assert!(error.contains("already exists"), "{error}");
}

#[test]
fn sql_is_restored_completely_or_not_at_all() {
    let daemon = start(builder());
    if !has(&daemon, "psql") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump.sql");
    std::fs::write(&file, "CREATE TABLE t (n int);\nCOPY t FROM STDIN;\n1\n2\n\\.\n").unwrap();
    daemon
        .restore(&file)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(value(&daemon, "SELECT sum(n) FROM t"), "3");
    std::fs::write(&file, "DELETE FROM t; SELECT nonsense;").unwrap();
    let error = daemon.restore(&file).unwrap_err().to_string();
    assert!(error.contains("nonsense"), "{error}");
    assert_eq!(value(&daemon, "SELECT sum(n) FROM t"), "3");
    assert!(daemon.restore(dir.path().join("none")).is_err());
}

#[test]
fn client_programs_find_the_server() {
    let daemon = start(builder().username("me").database("here"));
    if let Some(text) = output(daemon.client("pg_isready"), &[]) {
        assert!(text.contains("accepting connections"), "{text}");
    }
    let error = daemon.client("no-such-program").unwrap_err().to_string();
    assert!(error.contains("no-such-program"), "{error}");
}

#[test]
fn query_returns_rows_without_a_client() {
    let daemon = start(builder());
    let rows = daemon
        .query("SELECT n, nullif(n, 2), 'ü' FROM generate_series(1, 2) n")
        .unwrap();
    let text = |text: &str| Some(String::from(text));
    assert_eq!(rows, [[text("1"), text("1"), text("ü")], [text("2"), None, text("ü")]]);
    let error = daemon.query("SELECT 1/0").unwrap_err().to_string();
    assert!(error.contains("22012"), "{error}");
    assert!(daemon.query("SELECT '\0'").is_err());
}

//! PostgreSQL's client programs: psql, dumps and others.

use std::fs;
use std::process::Command;
use std::time::Duration;

use managed_daemons::{ManagedDaemonError, PostgresDaemon};

use super::{builder, connect, output, runtime, start, value};
use crate::support::is_full_run;

#[test]
fn psql_stops_at_the_first_error_and_has_no_password_in_its_arguments() {
    let daemon = start(builder());
    let text = output(daemon.psql(), &["-At", "-c", "SELECT 1", "-c", "SELECT current_user"]);
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
fn every_format_of_pg_dump_can_be_restored() {
    let one = start(builder().init_sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n"));
    let dir = tempfile::tempdir().unwrap();
    for format in ["plain", "custom", "tar", "directory"] {
        let file = dir.path().join(format);
        let (option, path) = (format!("--format={format}"), file.to_str().unwrap());
        output(one.client("pg_dump"), &[&option, "--file", path]);
        let other = start(builder());
        other
            .restore(&file)
            .unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(value(&other, "SELECT sum(n) FROM t"), "500500", "{format}");
    }
}

#[test]
fn a_dump_that_has_to_wait_ends_with_an_error() {
    let daemon = start(builder().init_sql("CREATE TABLE t (n int)"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump.sql");
    fs::write(&file, "INSERT INTO t VALUES (1);").unwrap();
    let working_dir = daemon.detach().unwrap();
    let impatient = PostgresDaemon::builder().start_timeout(Duration::from_secs(2));
    let daemon = impatient.load(working_dir).unwrap();
    runtime().block_on(async {
        let client = connect(&daemon.url()).await.unwrap();
        client.batch_execute("BEGIN; LOCK TABLE t").await.unwrap();
        for result in [daemon.dump(dir.path().join("dump")), daemon.restore(&file)] {
            let error = result.unwrap_err();
            assert!(matches!(error, ManagedDaemonError::Timeout { .. }), "{error:?}");
        }
        client.batch_execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(value(&daemon, "SELECT count(*) FROM t"), "0");
    daemon.destroy().unwrap();
}

#[test]
fn sql_is_restored_completely_or_not_at_all() {
    let daemon = start(builder());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump.sql");
    fs::write(&file, "CREATE TABLE t (n int);\nCOPY t FROM STDIN;\n1\n2\n\\.\n").unwrap();
    daemon
        .restore(&file)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(value(&daemon, "SELECT sum(n) FROM t"), "3");
    fs::write(&file, "DELETE FROM t; SELECT nonsense;").unwrap();
    let error = daemon.restore(&file).unwrap_err().to_string();
    assert!(error.contains("nonsense"), "{error}");
    assert_eq!(value(&daemon, "SELECT sum(n) FROM t"), "3");
    assert!(daemon.restore(dir.path().join("none")).is_err());
}

#[test]
fn client_programs_find_the_server() {
    let daemon = start(builder().username("me").database("here"));
    let text = output(daemon.client("pg_isready"), &[]);
    assert!(text.contains("accepting connections"), "{text}");
    let error = daemon.client("no-such-program").unwrap_err().to_string();
    assert!(error.contains("no-such-program"), "{error}");
}

#[test]
fn a_server_without_client_programs_is_lent_those_of_another_installation() {
    // npm's packages have the server alone.
    if !is_full_run() || Command::new("npm").arg("--version").output().is_err() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump.sql");
    fs::write(&file, "CREATE TABLE t (n int);\nCOPY t FROM stdin;\n40\n2\n\\.\n").unwrap();
    let daemon = start(builder().version("16").init_file(&file));
    assert_eq!(daemon.origin().to_string(), "fetched, npm");
    assert_eq!(value(&daemon, "SELECT sum(n) FROM t"), "42");
    assert_eq!(
        output(daemon.psql(), &["-Atc", "SHOW server_version_num"]).len(),
        "160000\n".len()
    );
    // Debian has this one beside the server alone, and not in `PATH`.
    let text = output(daemon.client("oid2name"), &["--quiet"]);
    assert!(text.contains(" postgres "), "{text}");
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

//! Which lines of a log stand out in a report.

use std::time::{SystemTime, UNIX_EPOCH};

use managed_daemons::{MySqlDaemon, PostgresDaemon, Report};
use managed_daemons_tests::{mariadb, mysql};
use sqlx::{Connection, Executor};

use crate::support::{eventually, has_apt, private_root};

/// The lines of the log that stand out.
fn marked(report: &Report) -> Vec<String> {
    let text = report.to_string();
    let lines = text.lines().filter_map(|line| line.strip_prefix("    > "));
    lines.map(str::to_owned).collect()
}

/// SQL that no template has been made with.
fn new_sql() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("CREATE TABLE made_{}_{} (id INT)", std::process::id(), now.as_nanos())
}

#[tokio::test]
async fn an_error_is_shown_before_slow_statements() {
    let postgres = PostgresDaemon::builder()
        .setting("log_min_duration_statement", "0")
        .start()
        .unwrap();
    let mut client = sqlx::PgConnection::connect(&postgres.url()).await.unwrap();
    client.execute("SELECT * FROM missing").await.unwrap_err();
    for _ in 0..120 {
        client.execute("SELECT 1").await.unwrap();
    }
    let lines = marked(&postgres.report());
    let durations = lines.iter().filter(|line| line.contains("LOG:  duration: ")).count();
    assert!(
        lines[0].contains("ERROR:  relation \"missing\" does not exist"),
        "{lines:#?}"
    );
    assert!(lines[1].ends_with("STATEMENT:  SELECT * FROM missing"), "{lines:#?}");
    assert_eq!((lines.len(), durations), (30, 28), "{lines:#?}");
}

#[test]
fn the_making_of_a_template_is_in_no_log_unless_it_fails() {
    for builder in [PostgresDaemon::builder(), PostgresDaemon::builder().lean()] {
        let postgres = builder.init_sql(new_sql()).start().unwrap();
        let report = postgres.report();
        assert!(marked(&report).is_empty(), "{report}");
        let log = postgres.log().unwrap();
        assert_eq!(
            log.matches("database system is ready to accept connections").count(),
            1,
            "{log}"
        );
        assert!(!log.contains("shutting down"), "{log}");
    }
    for builder in [mariadb(), mysql()] {
        let mysql = builder.init_sql(new_sql()).start().unwrap();
        let log = mysql.log().unwrap();
        assert_eq!(log.matches("ready for connections").count(), 1, "{log}");
        let report = mysql.report();
        assert!(marked(&report).is_empty(), "{report}");
    }
    let root = private_root();
    let at = root.path().join("mine");
    let failing = PostgresDaemon::builder().working_dir(&at).init_sql("SELECT 1/0");
    let _ = failing.start().unwrap_err();
    let log = std::fs::read_to_string(at.join("service.log")).unwrap();
    assert!(log.contains("ERROR:  division by zero"), "{log}");
}

#[tokio::test]
async fn what_everybody_causes_does_not_stand_out_and_what_is_wrong_does() {
    for builder in [mariadb(), mysql()] {
        let mysql = builder.setting("max_allowed_packet", "16384").start().unwrap();
        // As a client is dropped by a panic.
        drop(sqlx::MySqlConnection::connect(&mysql.url()).await.unwrap());
        drop(std::net::TcpStream::connect((mysql.host(), mysql.port())).unwrap());
        let report = mysql.report();
        assert!(marked(&report).is_empty(), "{report}");
        if mysql.flavor() == managed_daemons::Flavor::MariaDb {
            let mut client = sqlx::MySqlConnection::connect(&mysql.url()).await.unwrap();
            let long = format!("SELECT '{}'", "x".repeat(40_000));
            client.execute(&*long).await.unwrap_err();
            eventually("logged", || match marked(&mysql.report()) {
                lines if lines.len() == 1 && lines[0].contains("'max_allowed_packet' bytes") => Ok(()),
                lines => Err(lines),
            });
        }
    }
}

#[tokio::test]
async fn mariadb_tells_of_statements_that_failed() {
    if !has_apt() {
        return;
    }
    let daemon = mariadb().plugin("sql_errlog").start();
    let daemon: MySqlDaemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    let mut client = sqlx::MySqlConnection::connect(&daemon.url()).await.unwrap();
    assert!(
        !daemon.report().to_string().contains("  failed "),
        "{}",
        daemon.report()
    );
    client.execute("SELECT *\n  FROM missing").await.unwrap_err();
    client.execute("SELECT 1/0").await.unwrap();
    let report = daemon.report().to_string();
    let told = " 1146: Table 'test.missing' doesn't exist : SELECT * FROM missing\n  binary ";
    assert!(report.contains(told), "{report}");
    daemon.restart().unwrap();
    assert!(daemon.report().to_string().contains(told), "{}", daemon.report());
}

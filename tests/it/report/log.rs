//! Which lines of a log stand out in a report.

use managed_daemons::{PostgresDaemon, Report};
use sqlx::{Connection, Executor};

/// The lines of the log that stand out.
fn marked(report: &Report) -> Vec<String> {
    let text = report.to_string();
    let lines = text.lines().filter_map(|line| line.strip_prefix("    > "));
    lines.map(str::to_owned).collect()
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

//! A server's life, from start to drop.

use std::path::Path;
use std::time::Duration;

use managed_daemons::{with_postgres, PostgresDaemon};

use super::{builder, connect, refusal, runtime, start, value};
use crate::support::{private_root, FAR};

fn keep(daemon: &PostgresDaemon) {
    daemon.query("CREATE TABLE kept AS SELECT 42 AS answer").unwrap();
}

#[track_caller]
fn assert_kept(daemon: &PostgresDaemon) {
    assert_eq!(value(daemon, "SELECT answer FROM kept"), "42");
}

#[test]
fn a_stop_keeps_data_and_port() {
    let daemon = start(builder());
    let (port, url) = (daemon.port(), daemon.url());
    keep(&daemon);
    daemon.stop().unwrap();
    assert!(!daemon.is_running());
    assert!(daemon.query("SELECT 1").is_err());
    assert!(daemon.start_if_not_running().unwrap());
    assert!(!daemon.start_if_not_running().unwrap());
    assert_eq!((daemon.port(), daemon.url()), (port, url));
    assert_kept(&daemon);
    daemon.restart().unwrap();
    assert_kept(&daemon);
}

#[test]
fn a_stop_does_not_wait_for_clients() {
    let daemon = start(builder().stop_timeout(FAR));
    runtime().block_on(async {
        let client = connect(&daemon.url()).await.unwrap();
        client.batch_execute("BEGIN; CREATE TABLE unfinished ()").await.unwrap();
        let begin = std::time::Instant::now();
        daemon.stop().unwrap();
        assert!(begin.elapsed() < FAR);
        assert!(client.batch_execute("COMMIT").await.is_err());
    });
    daemon.start_if_not_running().unwrap();
    assert_eq!(
        value(&daemon, "SELECT count(*) FROM pg_class WHERE relname = 'unfinished'"),
        "0"
    );
}

#[test]
fn committed_rows_survive_a_kill_under_load() {
    let daemon = start(builder());
    daemon.query("CREATE TABLE counted (n int PRIMARY KEY)").unwrap();
    let confirmed = runtime().block_on(async {
        let client = connect(&daemon.url()).await.unwrap();
        let mut confirmed = 0;
        for n in 1_i32.. {
            // The kill comes without a warning.
            if n == 500 {
                daemon.kill().unwrap();
            }
            match client.execute("INSERT INTO counted VALUES ($1)", &[&n]).await {
                Ok(_) => confirmed = n,
                Err(_) => break,
            }
        }
        confirmed
    });
    assert!(!daemon.is_running());
    daemon.start_if_not_running().unwrap();
    assert_eq!(value(&daemon, "SELECT max(n) FROM counted"), confirmed.to_string());
}

#[test]
fn a_server_that_was_killed_from_outside_starts_again() {
    let daemon = start(builder());
    keep(&daemon);
    let pid = nix::unistd::Pid::from_raw(daemon.pid().unwrap() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    crate::support::eventually_false("running", || daemon.is_running());
    assert!(daemon.start_if_not_running().unwrap());
    assert_kept(&daemon);
}

#[test]
fn a_paused_server_is_silent_until_resumed() {
    let daemon = start(builder());
    runtime().block_on(async {
        let client = connect(&daemon.url()).await.unwrap();
        daemon.pause().unwrap();
        // The process behind this connection is in another session.
        let answer = tokio::time::timeout(Duration::from_millis(200), client.batch_execute("SELECT 1")).await;
        assert!(answer.is_err(), "it answered");
        daemon.resume().unwrap();
        client.batch_execute("SELECT 1").await.unwrap();
        daemon.pause().unwrap();
    });
    daemon.stop().unwrap();
}

#[test]
fn a_running_or_stopped_server_can_be_loaded() {
    let daemon = start(
        builder()
            .database("app")
            .extra_user("reader", "r")
            .setting("work_mem", "5MB"),
    );
    keep(&daemon);
    let (port, url, reader) = (daemon.port(), daemon.url(), daemon.user_url("reader"));
    let dir = daemon.detach().unwrap();
    for running in [true, false] {
        let daemon = PostgresDaemon::load(&dir).unwrap();
        assert_eq!(daemon.is_running(), running);
        daemon.start_if_not_running().unwrap();
        assert_eq!(
            (daemon.port(), daemon.url(), daemon.user_url("reader")),
            (port, url.clone(), reader.clone())
        );
        assert_kept(&daemon);
        assert_eq!(value(&daemon, "SHOW work_mem"), "5MB");
        daemon.stop().unwrap();
        if running {
            daemon.detach().unwrap();
        } else {
            daemon.destroy().unwrap();
        }
    }
    assert!(!dir.exists());
}

#[test]
fn a_users_directory_keeps_everything() {
    let root = private_root();
    let dir = root.path().join("with space and 'quote'").join("pg");
    std::fs::create_dir(dir.parent().unwrap()).unwrap();
    let (port, url) = {
        let daemon = start(builder().working_dir(&dir).database("app"));
        keep(&daemon);
        (daemon.port(), daemon.url())
    };
    assert!(!Path::new(&dir).join("service.pid").exists());
    let daemon = start(
        builder()
            .working_dir(&dir)
            .extra_database("more")
            .password("another")
            .extra_user("r", "x"),
    );
    assert_eq!(daemon.port(), port);
    assert_ne!(daemon.url(), url);
    assert_kept(&daemon);
    runtime().block_on(async {
        connect(&daemon.database_url("more")).await.unwrap();
        connect(&daemon.user_url("r").unwrap()).await.unwrap();
        assert!(connect(&url).await.is_err(), "the password is the new one");
    });
    drop(daemon);
    let report = refusal(builder().working_dir(&dir).username("somebody"));
    assert!(report.contains("was made for \"postgres\""), "{report}");
}

#[test]
fn a_path_too_long_for_a_socket_gets_a_socket_elsewhere() {
    let root = private_root();
    let dir = root.path().join("d".repeat(100));
    let daemon = start(builder().working_dir(dir));
    assert!(daemon.unix_socket().exists());
    runtime().block_on(async {
        connect(&daemon.unix_socket_url()).await.unwrap();
    });
}

#[test]
fn a_directory_name_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let root = private_root();
    let dir = root.path().join(std::ffi::OsStr::from_bytes(b"no\xfftext\n"));
    let daemon = start(builder().working_dir(dir));
    assert_eq!(value(&daemon, "SELECT 1"), "1");
}

#[test]
fn a_bad_setting_is_reported_at_once_in_the_servers_words() {
    let begin = std::time::Instant::now();
    let report = refusal(builder().setting("work_mem", "a lot").start_timeout(FAR));
    assert!(report.contains("invalid value for parameter \"work_mem\""), "{report}");
    assert!(begin.elapsed() < FAR);
    let report = refusal(builder().setting("no_such_setting", "1"));
    assert!(report.contains("unrecognized configuration parameter"), "{report}");
}

#[test]
fn a_reload_reads_the_configuration_again() {
    let daemon = start(builder());
    daemon.query("ALTER SYSTEM SET work_mem = '7MB'").unwrap();
    daemon.reload().unwrap();
    crate::support::eventually("reloaded", || match value(&daemon, "SHOW work_mem") {
        set if set == "7MB" => Ok(()),
        other => Err(other),
    });
}

#[with_postgres(database = "app", setting("work_mem", "6MB"), init_sql = "CREATE TABLE t ()")]
#[test]
fn the_attribute_starts_a_server(postgres: PostgresDaemon) {
    assert_eq!(value(&postgres, "SELECT count(*) FROM t"), "0");
    assert_eq!(value(&postgres, "SHOW work_mem"), "6MB");
}

#[with_postgres]
#[tokio::test]
async fn the_attribute_starts_a_server_for_an_async_test(
    postgres: &PostgresDaemon,
) -> Result<(), tokio_postgres::Error> {
    connect(&postgres.url()).await?.batch_execute("SELECT 1").await
}

#[test]
fn a_time_out_may_be_of_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.sql");
    // Another text each time, so that the data are made.
    std::fs::write(
        &script,
        format!("\\set n 5\nCREATE TABLE t AS SELECT :n; -- {}", dir.path().display()),
    )
    .unwrap();
    let daemon = start(builder().start_timeout(Duration::MAX).init_file(&script));
    assert_eq!(value(&daemon, "SELECT * FROM t"), "5");
    daemon.restart().unwrap();
}

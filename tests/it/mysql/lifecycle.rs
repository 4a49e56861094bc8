//! What a user does with a handle.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use managed_daemons::{with_mysql, Flavor, MySqlBuilder, MySqlDaemon};
use managed_daemons_tests::{leftovers, processes_of};

use super::{code, mariadb, mysql, on_both_servers, one, run, ACCESS_DENIED};
use crate::support::{private_root, stop_and_start};

on_both_servers!(
    data_and_port_survive_a_stop,
    a_restart_keeps_data_and_port_but_not_the_process,
    a_crash_loses_nothing_that_was_committed,
    a_paused_server_is_silent_until_resumed,
    a_paused_server_can_be_stopped,
    a_dropped_server_leaves_nothing,
    a_users_directory_keeps_the_data_and_can_be_loaded,
    a_second_start_in_a_users_directory_keeps_options_and_can_change_them,
    a_detached_server_runs_on_and_can_be_loaded,
    the_flavor_matches_what_the_server_says,
);

fn fill(url: &str) {
    run(
        url,
        "CREATE TABLE kept (what TEXT); INSERT INTO kept VALUES ('still there')",
    )
    .unwrap();
}

#[track_caller]
fn assert_filled(url: &str) {
    assert_eq!(one(url, "SELECT what FROM kept").unwrap(), "still there");
}

fn data_and_port_survive_a_stop(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    fill(&daemon.url());
    stop_and_start(&daemon);
    assert_filled(&daemon.url());
}

fn a_restart_keeps_data_and_port_but_not_the_process(server: fn() -> MySqlBuilder) {
    let daemon = server().username("app").password("pass").start().unwrap();
    let (port, pid) = (daemon.port(), daemon.pid());
    fill(&daemon.url());
    daemon.restart().unwrap();
    assert_eq!(daemon.port(), port);
    assert_ne!(daemon.pid(), pid);
    assert_filled(&daemon.url());
}

fn a_crash_loses_nothing_that_was_committed(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    fill(&daemon.url());
    daemon.kill().unwrap();
    assert!(!daemon.is_running());
    daemon.start_if_not_running().unwrap();
    assert_filled(&daemon.url());
}

/// Whether the server greets a new connection within 100 ms.
fn greets(daemon: &MySqlDaemon) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream.read(&mut [0]).is_ok_and(|count| count == 1)
}

fn a_paused_server_is_silent_until_resumed(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    daemon.pause().unwrap();
    assert!(daemon.is_running());
    assert!(!greets(&daemon));
    daemon.resume().unwrap();
    assert_eq!(one(&daemon.url(), "SELECT 'awake'").unwrap(), "awake");
}

fn a_paused_server_can_be_stopped(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    fill(&daemon.url());
    daemon.pause().unwrap();
    daemon.stop().unwrap();
    daemon.start_if_not_running().unwrap();
    assert_filled(&daemon.url());
}

fn a_dropped_server_leaves_nothing(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let daemon = server().temp_root(root.path()).start().unwrap();
    fill(&daemon.url());
    assert!(!processes_of(root.path()).is_empty());
    drop(daemon);
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

fn a_users_directory_keeps_the_data_and_can_be_loaded(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let dir = root.path().join("a user's \"own\" # dir");
    let daemon = server()
        .working_dir(&dir)
        .username("app")
        .password("pass")
        .start()
        .unwrap();
    let (port, url, root_url) = (daemon.port(), daemon.url(), daemon.root_url());
    fill(&url);
    drop(daemon);
    assert_eq!(processes_of(root.path()), []);
    assert!(!dir.join("mysql.sock").exists());

    let daemon = MySqlDaemon::load(&dir).unwrap();
    assert!(!daemon.is_running());
    assert!(daemon.start_if_not_running().unwrap());
    assert_eq!((daemon.port(), daemon.url(), daemon.root_url()), (port, url, root_url));
    assert_filled(&daemon.url());
    assert_filled(&daemon.unix_socket_url());
    daemon.destroy().unwrap();
    assert!(!dir.exists());
}

fn a_second_start_in_a_users_directory_keeps_options_and_can_change_them(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let dir = root.path().join("mine");
    let init = "CREATE TABLE once (n INT)";
    let first = server()
        .working_dir(&dir)
        .database("shop")
        .username("app")
        .password("first")
        .setting("max_connections", "17")
        .init_sql(init)
        .start()
        .unwrap();
    let (port, url, root_url) = (first.port(), first.url(), first.root_url());
    fill(&url);
    first.close().unwrap();

    // Initial SQL is for the first start alone: run again it would fail.
    let second = server().working_dir(&dir).init_sql(init).start().unwrap();
    assert_eq!(
        (second.port(), second.url(), second.root_url()),
        (port, url.clone(), root_url)
    );
    assert_filled(&second.url());
    assert_eq!(
        one(&second.url(), "SELECT CAST(@@max_connections AS CHAR)").unwrap(),
        "17"
    );
    let third = server().working_dir(&dir).start().unwrap_err().report();
    assert!(third.contains("in use by another handle"), "{third}");
    second.close().unwrap();

    let third = server()
        .working_dir(&dir)
        .username("app")
        .password("second")
        .root_password("new root")
        .start()
        .unwrap();
    assert_eq!(
        (third.password(), third.root_password()),
        (Some("second"), Some("new root"))
    );
    assert_filled(&third.url());
    assert_eq!(one(&third.root_url(), "SELECT 'in'").unwrap(), "in");
    assert_eq!(code(run(&url, "SELECT 1")), Some(ACCESS_DENIED));
    third.restart().unwrap();
    assert_filled(&third.url());
}

fn a_detached_server_runs_on_and_can_be_loaded(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let daemon = server().temp_root(root.path()).start().unwrap();
    let (pid, port) = (daemon.pid(), daemon.port());
    fill(&daemon.url());
    let dir = daemon.detach().unwrap();
    let loaded = MySqlDaemon::load(&dir).unwrap();
    assert_eq!((loaded.pid(), loaded.port()), (pid, port));
    loaded.restart().unwrap();
    assert_filled(&loaded.url());
    loaded.destroy().unwrap();
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

fn the_flavor_matches_what_the_server_says(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    let says = one(&daemon.url(), "SELECT VERSION()").unwrap();
    assert_eq!(daemon.flavor() == Flavor::MariaDb, says.contains("MariaDB"), "{says}");
    let number = daemon.version().split('-').next().unwrap();
    assert!(says.contains(number), "{says} {number}");
}

#[test]
fn one_server_does_not_get_the_data_of_the_other() {
    let root = private_root();
    let dir = root.path().join("mine");
    mariadb().working_dir(&dir).start().unwrap().close().unwrap();
    let report = mysql().working_dir(&dir).start().unwrap_err().report();
    assert!(
        report.contains("holds data of MariaDB") && report.contains("is MySQL"),
        "{report}"
    );
    let again = mariadb().working_dir(&dir).start().unwrap();
    assert!(again.is_running());
}

#[with_mysql(
    username = "clerk",
    password = "pass",
    database = "shop",
    setting("max_connections", "17")
)]
#[test]
fn the_attribute_starts_a_server(mysql: MySqlDaemon) {
    assert_eq!(one(&mysql.url(), "SELECT DATABASE()").unwrap(), "shop");
    assert_eq!(
        one(&mysql.url(), "SELECT SUBSTRING_INDEX(USER(), '@', 1)").unwrap(),
        "clerk"
    );
    assert_eq!(
        one(&mysql.url(), "SELECT CAST(@@max_connections AS CHAR)").unwrap(),
        "17"
    );
}

#[test]
fn several_servers_start_at_once() {
    let started: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| mariadb().start().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for daemon in &started {
        fill(&daemon.url());
    }
    for daemon in &started {
        assert_filled(&daemon.url());
    }
}

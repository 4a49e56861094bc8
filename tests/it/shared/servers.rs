//! Which tests share a server.

use std::fs;
use std::process::Command;

use managed_daemons::{Flavor, MySqlDatabase, PostgresDatabase, RabbitMqVirtualHost};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::support::{eventually, Run, Sharer};

#[test]
fn tests_that_want_the_same_server_share_it_and_others_do_not() {
    let start = || PostgresDatabase::builder();
    let plain = start().start().unwrap();
    let same = start().start().unwrap();
    let slower = start().setting("work_mem", "8MB").start().unwrap();
    let same_slower = start().setting("work_mem", "8MB").start().unwrap();
    assert_eq!(plain.port(), same.port());
    assert_ne!(plain.port(), slower.port());
    assert_eq!(slower.port(), same_slower.port());
    assert_eq!(slower.query("SHOW work_mem").unwrap(), [[Some(String::from("8MB"))]]);

    let plain = MySqlDatabase::start().unwrap();
    let other = MySqlDatabase::builder()
        .setting("max_allowed_packet", "32M")
        .start()
        .unwrap();
    let mariadb = MySqlDatabase::builder().flavor(Flavor::MariaDb).start().unwrap();
    assert_ne!(plain.port(), other.port());
    assert_ne!(mariadb.port(), plain.port());

    let plain = RabbitMqVirtualHost::start().unwrap();
    let managed = RabbitMqVirtualHost::builder().management().start().unwrap();
    assert_eq!(plain.management_url(), None);
    assert!(managed.management_url().unwrap().starts_with("http://127.0.0.1:"));
    assert_ne!(plain.port(), managed.port());
}

#[test]
fn a_server_that_does_not_start_says_why_to_each() {
    let start = || {
        PostgresDatabase::builder()
            .setting("no_such_setting", "1")
            .start()
            .unwrap_err()
    };
    let (first, second) = (start().report(), start().report());
    assert!(
        first.contains("the PostgreSQL server, which the tests of this run share: "),
        "{first}"
    );
    assert!(
        first.contains("unrecognized configuration parameter \"no_such_setting\""),
        "{first}"
    );
    assert_eq!(first, second);
}

/// How many orders there are, or why nobody says so.
fn orders(url: &str) -> String {
    let psql = Command::new("psql")
        .args([url, "--no-psqlrc", "--tuples-only", "--no-align"])
        .args(["--command", "SELECT count(*) FROM public.orders"])
        .output()
        .unwrap();
    let answer = [psql.stdout, psql.stderr].concat();
    String::from_utf8_lossy(&answer).trim().to_owned()
}

/// The next tests get another server, with contents that were made anew.
#[test]
fn after_a_server_is_killed_the_next_test_starts_another() {
    let mut run = Run::new();
    let line = |sharer: &mut Sharer| {
        let line = sharer.line();
        assert!(line.starts_with("postgresql://"), "{line}");
        line
    };
    let mut before = [run.start("postgres-orders"), run.start("postgres-orders")];
    let urls = before.each_mut().map(line);
    assert_eq!(urls.each_ref().map(|url| orders(url)), ["2", "2"]);
    let dirs = fs::read_dir(run.root()).unwrap().map(|entry| entry.unwrap().path());
    let locks: Vec<String> = dirs
        .filter_map(|dir| fs::read_to_string(dir.join("data/postmaster.pid")).ok())
        .collect();
    assert_eq!(locks.len(), 1, "{locks:?}");
    let pid = locks[0].lines().next().unwrap().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    eventually("refused", || match orders(&urls[0]) {
        answer if answer.contains("Connection refused") => Ok(()),
        answer => Err(answer),
    });
    let mut after = [run.start("postgres-orders"), run.start("postgres-orders")];
    let urls_after = after.each_mut().map(line);
    assert_eq!(urls_after.each_ref().map(|url| orders(url)), ["2", "2"]);
    run.end();
    run.assert_nothing_left();
}

/// A test that fails for lack of connections is told of it.
#[test]
fn a_failing_test_is_told_that_the_server_refused_connections() {
    let mut run = Run::new();
    let sharer = run.start("out-of-connections");
    assert_told_of_refused_connections(&sharer);
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_failing_test_is_told_that_mariadb_refused_connections() {
    refuse_mysql_connections("mariadb");
}

#[test]
fn a_failing_test_is_told_that_mysql_refused_connections() {
    refuse_mysql_connections("mysql");
}

fn refuse_mysql_connections(flavor: &str) {
    let mut run = Run::new();
    let mut sharer = run.start(&format!("out-of-mysql-connections {flavor}"));
    assert_eq!(sharer.line(), "refused");
    sharer.go_on();
    assert_told_of_refused_connections(&sharer);
    sharer.end();
    run.end();
    run.assert_nothing_left();
}

#[track_caller]
fn assert_told_of_refused_connections(sharer: &Sharer) {
    let said = || {
        sharer
            .errors()
            .lines()
            .find(|line| line.contains("refused  "))
            .map(str::to_owned)
    };
    eventually("was told", || said().map(drop).ok_or_else(|| sharer.errors()));
    let said = said().unwrap();
    assert!(
        said.contains("it takes 20 at once") && said.contains("max_connections"),
        "{said}"
    );
}

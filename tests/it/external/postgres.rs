//! PostgreSQL.

use std::fs;

use managed_daemons::PostgresDaemon;
use managed_daemons_tests::postgres as builder;

use super::relay::Relay;
use super::{begin_at_once, count_said, failure, url, Machine, NOT_SO_SHORT};
use crate::support::{eventually, eventually_empty, private_root, Sharer};

pub(super) const VARIABLE: &str = "MANAGED_DAEMONS_POSTGRES_URL";

/// All databases and roles that a server did not have from its start.
pub(super) fn remains(server: &PostgresDaemon) -> Vec<String> {
    let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'md\\_%' \
               UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'md\\_%' ORDER BY 1";
    let rows = server.query(sql).unwrap();
    rows.into_iter().flatten().flatten().collect()
}

/// The name of the database in a URL.
pub(super) fn database(url: &str) -> &str {
    let path = url.rsplit('/').next().unwrap();
    path.split('?').next().unwrap()
}

/// The same account in another database.
pub(super) fn in_database(url: &str, name: &str) -> String {
    format!("{}{name}", url.strip_suffix(database(url)).unwrap())
}

/// Runs SQL as whoever a URL names, and returns its rows as psql shows them, or what it says.
pub(super) fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output = std::process::Command::new("psql")
        .args([url, "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql])
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[test]
fn tests_of_two_machines_share_a_server_and_no_database() {
    let server = builder().start().unwrap();
    let variables = [(VARIABLE, &*server.url())];
    let (mut one, mut other) = (Machine::new(&variables), Machine::new(&variables));
    let mut tests = [
        one.start("postgres-orders"),
        one.start("postgres-orders"),
        other.start("postgres-orders"),
        other.start("postgres"),
    ];
    let urls = tests.each_mut().map(url);
    for (at, own) in urls.iter().enumerate() {
        assert!(own.contains(&format!("@127.0.0.1:{}/md_", server.port())), "{own}");
        assert!(!urls[..at].contains(own));
        for foreign in urls.iter().filter(|foreign| *foreign != own) {
            let refused = psql(&in_database(own, database(foreign)), "SELECT 1").unwrap_err();
            assert!(refused.contains("permission denied for database"), "{refused}");
        }
    }
    for url in &urls[..3] {
        let sql = "SELECT string_agg(id::text, ',' ORDER BY id), (SELECT earliest_id FROM earliest) FROM orders";
        assert_eq!(psql(url, sql).unwrap(), "1,2|1");
        assert_eq!(psql(url, "SHOW search_path").unwrap(), "shop, public");
        psql(url, "DROP TABLE orders CASCADE; CREATE TABLE orders (id int)").unwrap();
    }
    assert!(psql(&urls[3], "SELECT * FROM orders").is_err());
    // The names tell the runs apart, and say that the project is the same.
    let name = |at: usize| database(&urls[at]).split('_').collect::<Vec<_>>();
    assert_eq!(name(0)[1..3], name(1)[1..3]);
    assert_eq!(name(0)[1], name(2)[1]);
    assert_ne!(name(0)[2], name(2)[2]);

    let [first, second, third, fourth] = tests;
    // While a client is connected.
    let sleeping = std::process::Command::new("psql")
        .args([&urls[0], "--command", "SELECT pg_sleep(600)"])
        .stderr(std::process::Stdio::null())
        .spawn();
    first.kill();
    second.end();
    one.end();
    assert!(!sleeping.unwrap().wait().unwrap().success());
    let others = remains(&server);
    assert!(
        !others.is_empty() && others.iter().all(|left| left.contains(name(2)[2])),
        "{others:?}"
    );
    psql(&urls[2], "SELECT * FROM orders").unwrap();
    third.end();
    fourth.end();
    other.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn machines_that_begin_at_once_leave_each_other_alone() {
    let server = builder().start().unwrap();
    begin_at_once((VARIABLE, &server.url()), "postgres-orders", |url| {
        assert_eq!(psql(url, "SELECT count(*) FROM orders").unwrap(), "2");
    });
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn a_killed_test_leaves_no_database_while_the_run_goes_on() {
    let server = builder().start().unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &server.url())]);
    let (mut killed, mut other) = (machine.start("postgres"), machine.start("postgres"));
    let name = database(&url(&mut killed)).to_owned();
    let url = url(&mut other);
    killed.kill();
    eventually_empty("removed", || {
        remains(&server)
            .into_iter()
            .filter(|left| *left == name)
            .collect::<Vec<_>>()
    });
    assert_eq!(psql(&url, "SELECT 1").unwrap(), "1");
    other.go_on();
    assert_eq!(other.line(), "closed");
    assert!(psql(&url, "SELECT 1").is_err());
    other.end();
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn if_the_keeper_is_killed_the_next_one_goes_on_with_the_lease() {
    let server = builder().start().unwrap();
    let url_of_server = server.url();
    let variables = [
        (VARIABLE, &*url_of_server),
        ("MANAGED_DAEMONS_LEASE_SECONDS", NOT_SO_SHORT),
    ];
    let mut machine = Machine::new(&variables);
    let mut before = machine.start("postgres-orders");
    let url_before = url(&mut before);
    machine.kill_keepers();
    let mut after = machine.start("postgres-orders");
    let url_after = url(&mut after);
    assert_eq!(database(&url_before)[..21], database(&url_after)[..21]);
    // The lease of the first keeper would have run out.
    let lease = "SELECT max(rolvaliduntil) FROM pg_roles WHERE rolname LIKE 'md\\_%\\_lease'";
    let until = server.query(lease).unwrap().remove(0).remove(0).unwrap();
    eventually("passed", || {
        let passed = server.query(&format!("SELECT now() > '{until}'")).unwrap();
        if passed == [[Some("t".to_owned())]] {
            Ok(())
        } else {
            Err(passed)
        }
    });
    let mut other = Machine::new(&variables);
    let mut test = other.start("postgres");
    url(&mut test);
    test.end();
    other.end();
    for url in [&url_before, &url_after] {
        assert_eq!(psql(url, "SELECT count(*) FROM orders").unwrap(), "2");
    }
    before.end();
    after.end();
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn a_connection_that_gets_no_answer_any_more_lets_no_lease_run_out() {
    let server = builder().start().unwrap();
    let relay = Relay::to(&server, |_, _| true);
    let mut machine = Machine::new(&[(VARIABLE, relay.url()), ("MANAGED_DAEMONS_LEASE_SECONDS", "30")]);
    let mut test = machine.start("postgres");
    url(&mut test);
    relay.stall();
    let lease = "SELECT rolvaliduntil, rolvaliduntil > now() FROM pg_roles WHERE rolname LIKE 'md\\_%\\_lease'";
    let before = server.query(lease).unwrap().remove(0).remove(0).unwrap();
    eventually("renewed", || {
        let row = server.query(lease).unwrap().remove(0);
        assert_eq!(row[1].as_deref(), Some("t"), "it has run out: {row:?}");
        match row[0].as_deref() {
            Some(until) if until > &*before => Ok(()),
            other => Err(other.map(str::to_owned)),
        }
    });
    relay.cut();
    test.end();
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn contents_may_take_as_long_as_a_start() {
    let server = builder().start().unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &server.url())]);
    let files = private_root();
    for (name, sql) in [
        ("server.sql", "SELECT pg_sleep(600)"),
        ("psql.sql", "SELECT pg_sleep(600) \\g\n"),
    ] {
        let script = files.path().join(name);
        fs::write(&script, sql).unwrap();
        let failed = failure(&mut machine, &format!("postgres-file-within-2s {}", script.display()));
        assert!(failed.contains("load") || failed.contains(name), "{failed}");
        assert!(
            failed.contains("within 2s; `start_timeout` gives it more time"),
            "{failed}"
        );
    }
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn what_a_dead_machine_has_left_goes_with_the_next_run_of_its_project_after_its_lease() {
    let server = builder().start().unwrap();
    let url_of_server = server.url();
    let machine = |project: &str| {
        let project = ("MANAGED_DAEMONS_PROJECT", project);
        Machine::new(&[
            (VARIABLE, &url_of_server),
            project,
            ("MANAGED_DAEMONS_LEASE_SECONDS", NOT_SO_SHORT),
        ])
    };
    let mut dead = machine("shop");
    let mut tests = vec![dead.start("postgres-orders"), dead.start("postgres-orders")];
    tests.iter_mut().for_each(|test| drop(url(test)));
    // A run that lives keeps its own, however long it takes.
    let mut alive = machine("shop");
    let mut test = alive.start("postgres-orders");
    let url_of_alive = url(&mut test);
    dead.die(tests);
    let left: Vec<String> = remains(&server);
    let of_alive = database(&url_of_alive)[..21].to_owned();
    let left: Vec<String> = left.into_iter().filter(|name| !name.starts_with(&of_alive)).collect();
    assert!(left.len() >= 4, "{left:?}");
    let still_there = || -> Vec<String> {
        remains(&server)
            .into_iter()
            .filter(|name| left.contains(name))
            .collect()
    };

    // The run that is there already removes them when their lease has run out.
    eventually_empty("removed", still_there);
    assert_eq!(psql(&url_of_alive, "SELECT count(*) FROM orders").unwrap(), "2");
    alive.die(vec![test]);
    let left = remains(&server);
    eventually("run out", || {
        let sql = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'md\\_%' AND rolvaliduntil > now()";
        match server.query(sql).unwrap() {
            leases if leases.is_empty() => Ok(()),
            leases => Err(leases),
        }
    });

    let mut other = machine("another");
    let mut test = other.start("postgres");
    url(&mut test);
    test.end();
    other.end();
    assert_eq!(remains(&server), left);

    let mut same = machine("shop");
    let mut test = same.start("postgres");
    url(&mut test);
    test.end();
    same.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn files_for_psql_and_pg_restore_are_loaded_by_these() {
    let server = builder().start().unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &server.url())]);
    let files = private_root();
    let script = files.path().join("orders.sql");
    fs::write(
        &script,
        "CREATE TABLE orders (id int);\nCOPY orders FROM stdin;\n7\n8\n\\.\n",
    )
    .unwrap();
    let mut test = machine.start(&format!("postgres-file {}", script.display()));
    let url_of_test = url(&mut test);
    assert_eq!(psql(&url_of_test, "SELECT sum(id) FROM orders").unwrap(), "15");

    fs::write(
        &script,
        "CREATE TABLE orders (id int);\nCREATE TABEL orders (id int);\n",
    )
    .unwrap();
    let failed = failure(&mut machine, &format!("postgres-file {}", script.display()));
    assert!(failed.contains("TABEL") && failed.contains("orders.sql"), "{failed}");

    let version = std::process::Command::new("pg_dump").arg("--version").output();
    let version = String::from_utf8(version.unwrap().stdout).unwrap();
    if !version.contains(&format!(" {}.", server.version().split('.').next().unwrap())) {
        return; // a program of another version than the server's
    }
    let dump = files.path().join("orders.dump");
    let dumped = std::process::Command::new("pg_dump")
        .args(["--format=custom", "--file"])
        .arg(&dump)
        .arg(&url_of_test)
        .status();
    assert!(dumped.unwrap().success());
    test.end();
    let mut test = machine.start(&format!("postgres-file {}", dump.display()));
    assert_eq!(psql(&url(&mut test), "SELECT sum(id) FROM orders").unwrap(), "15");
    test.end();

    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn a_version_is_checked_and_settings_and_files_are_the_servers_own() {
    let server = builder().start().unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &server.url())]);
    let failed = failure(&mut machine, "postgres-version '>=99'");
    assert!(
        failed.contains(VARIABLE) && failed.contains(server.version()),
        "{failed}"
    );
    let mut accepted = machine.start("postgres-version '>=9'");
    url(&mut accepted);
    accepted.end();
    let mut tests = [machine.start("postgres-setting"), machine.start("postgres-setting")];
    tests.iter_mut().for_each(|test| drop(url(test)));
    assert_eq!(count_said(&tests, "with settings of its own"), 1);
    tests.into_iter().for_each(Sharer::end);
    let mut local = machine.start("postgres-local");
    assert_eq!(local.line(), "None");
    let log = local.line();
    assert!(
        log.contains("its log is where the server of") && log.contains(VARIABLE),
        "{log}"
    );
    local.end();
    machine.end();
}

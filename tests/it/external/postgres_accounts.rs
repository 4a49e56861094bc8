//! Accounts of PostgreSQL that may do less than a superuser, as those of managed clusters.

use std::process::Stdio;

use managed_daemons::PostgresDaemon;
use managed_daemons_tests::postgres as builder;

use super::postgres::{database, in_database, psql, remains, VARIABLE};
use super::{count_said, failure, url, Machine, SHORT};
use crate::support::{eventually, Sharer};

/// A server with an account that has these attributes, and the account's URL.
fn server(attributes: &str) -> (PostgresDaemon, String) {
    let server = builder().start().unwrap();
    let sql = format!("CREATE ROLE app LOGIN PASSWORD 's3cret' {attributes}");
    server.query(&sql).unwrap();
    let url = server.url_for("app", "s3cret");
    (server, url)
}

#[test]
fn an_account_that_makes_roles_needs_to_be_no_superuser() {
    let (server, account) = server("CREATEDB CREATEROLE");
    let mut machine = Machine::new(&[(VARIABLE, &account)]);
    let mut tests = [machine.start("postgres-orders"), machine.start("postgres-orders")];
    let [one, other] = tests.each_mut().map(url);
    for url in [&one, &other] {
        assert_eq!(psql(url, "SELECT count(*) FROM orders").unwrap(), "2");
        assert_eq!(psql(url, "SHOW search_path").unwrap(), "shop, public");
        psql(url, "CREATE TABLE own (id int); DROP TABLE orders CASCADE").unwrap();
    }
    assert!(psql(&in_database(&one, database(&other)), "SELECT 1").is_err());
    // While a client is connected.
    let sleeping = std::process::Command::new("psql")
        .args([&one, "--command", "SELECT pg_sleep(600)"])
        .stderr(std::process::Stdio::null())
        .spawn();
    let [first, second] = tests;
    first.kill();
    second.end();
    machine.end();
    assert!(!sleeping.unwrap().wait().unwrap().success());
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn what_only_a_superuser_may_end_keeps_no_database_from_being_removed() {
    let server = builder()
        .setting("autovacuum", "on")
        .setting("autovacuum_naptime", "1s")
        .setting("max_prepared_transactions", "5")
        .start()
        .unwrap();
    server
        .query("CREATE ROLE app LOGIN PASSWORD 's3cret' CREATEDB CREATEROLE")
        .unwrap();
    let account = server.url_for("app", "s3cret");
    let mut machine = Machine::new(&[(VARIABLE, &account)]);
    let mut tests = [(); 3].map(|()| machine.start("postgres"));
    let [vacuumed, watched, prepared] = tests.each_mut().map(url);

    // A run of autovacuum that takes very long.
    let slow = "CREATE TABLE orders (id int) WITH (autovacuum_vacuum_cost_delay = 100, \
                autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_insert_threshold = 1, \
                autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_threshold = 1, \
                autovacuum_vacuum_scale_factor = 0); \
                INSERT INTO orders SELECT generate_series(1, 100000); DELETE FROM orders";
    psql(&vacuumed, slow).unwrap();
    let sessions = |database: &str, kind: &str| {
        let sql = format!("SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = '{kind}'");
        server.query(&sql).unwrap().len()
    };
    let wait_for = |database: &str, kind: &str, expected: usize| {
        eventually("was there", || match sessions(database, kind) {
            found if found == expected => Ok(()),
            other => Err(other),
        });
    };
    wait_for(database(&vacuumed), "autovacuum worker", 1);

    // A superuser who goes while the database is being removed, beside a client of the test's own that
    // does not.
    let client = |url: &str, arguments: &[&str]| {
        let mut psql = std::process::Command::new("psql");
        psql.args([url, "--no-psqlrc"]).args(arguments);
        psql.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        psql.spawn().unwrap()
    };
    let mut own = client(&watched, &["--command", "SELECT pg_sleep(600)"]);
    let mut superuser = client(&in_database(&server.url(), database(&watched)), &[]);
    wait_for(database(&watched), "client backend", 2);

    let sql = "BEGIN; CREATE TABLE orders (id int); PREPARE TRANSACTION 'orders'";
    psql(&prepared, sql).unwrap();

    for (test, url) in tests.iter_mut().zip([&vacuumed, &watched, &prepared]) {
        test.go_on();
        if *url == watched {
            let sql = format!(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DROP DATABASE%{}%' AND state = 'active'",
                database(url)
            );
            eventually("begun to be removed", || match server.query(&sql).unwrap() {
                begun if begun.is_empty() => Err("not yet"),
                _ => Ok(()),
            });
            // It reads commands up to the end of its standard input.
            drop(superuser.stdin.take());
        }
        assert_eq!(test.line(), "closed");
    }
    assert!(!own.wait().unwrap().success());
    assert!(superuser.wait().unwrap().success());
    tests.into_iter().for_each(Sharer::end);
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn an_account_that_makes_no_roles_makes_databases() {
    let (server, account) = server("CREATEDB");
    let variables = [(VARIABLE, &*account), ("MANAGED_DAEMONS_LEASE_SECONDS", SHORT)];
    let mut machine = Machine::new(&variables);
    let mut tests = vec![machine.start("postgres-orders"), machine.start("postgres-orders")];
    let urls: Vec<String> = tests.iter_mut().map(url).collect();
    assert_ne!(database(&urls[0]), database(&urls[1]));
    for url in &urls {
        assert!(url.starts_with("postgresql://app:s3cret@"), "{url}");
        assert_eq!(psql(url, "SELECT count(*) FROM orders").unwrap(), "2");
        assert_eq!(psql(url, "SHOW search_path").unwrap(), "shop, public");
        psql(url, "DROP TABLE orders CASCADE").unwrap();
    }
    assert_eq!(count_said(&tests, "may not create roles"), 1);
    machine.die(tests);
    assert!(!remains(&server).is_empty());
    eventually("run out", || {
        let sql = "SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') ~ '^[0-9]+$' \
                   AND to_timestamp(shobj_description(oid, 'pg_database')::float) > now()";
        match server.query(sql).unwrap() {
            leases if leases.is_empty() => Ok(()),
            leases => Err(leases),
        }
    });

    let mut next = Machine::new(&variables);
    let mut test = next.start("postgres-orders");
    url(&mut test);
    test.go_on();
    assert_eq!(test.line(), "closed");
    test.end();
    next.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn an_account_that_may_not_do_enough_is_told_so() {
    let (server, account) = server("");
    let mut machine = Machine::new(&[(VARIABLE, &account)]);
    let failed = failure(&mut machine, "postgres");
    assert!(failed.contains(VARIABLE) && failed.contains("CREATEDB"), "{failed}");
    assert!(!failed.contains("s3cret"), "{failed}");
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

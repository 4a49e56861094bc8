//! The options of Redis and PostgreSQL, as a user types them.

use std::fs;
use std::net::{TcpListener, TcpStream};

use managed_daemons_tests::postgres;

use super::{postgres_one, redis_setting, refusal, write, Session};
use crate::support::{eventually_false, private_root};

/// A port that is free now.
fn free_port() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    port.to_string()
}

#[test]
fn redis_takes_its_options() {
    let files = private_root();
    let config = write(files.path(), "redis.conf", "maxclients 77\n");
    let init = write(files.path(), "init.redis", "SET greeting hello\n");
    let port = free_port();
    let words = [
        "redis",
        "--port",
        &port,
        "--password",
        "s3cret",
        "--set",
        "maxmemory=8mb",
        "--set",
        "hz=50",
    ];
    let session = Session::start(&[&words[..], &["--config", &config, "--init", &init]].concat());
    assert_eq!(session.var("REDIS_URL"), format!("redis://:s3cret@127.0.0.1:{port}/"));
    let mut connection = session.redis();
    assert_eq!(redis_setting(&mut connection, "maxmemory"), "8388608");
    assert_eq!(redis_setting(&mut connection, "hz"), "50");
    assert_eq!(redis_setting(&mut connection, "maxclients"), "77");
    let greeting: String = redis::cmd("GET").arg("greeting").query(&mut connection).unwrap();
    assert_eq!(greeting, "hello");
    session.end();
}

#[test]
fn a_redis_without_password_lets_everybody_in() {
    let session = Session::start_with(&["redis", "--without-password"], |command| {
        command.env("REDIS_PASSWORD", "old").env("REDISCLI_AUTH", "old");
    });
    assert_eq!(
        session.var("REDIS_URL"),
        format!("redis://127.0.0.1:{}/", session.var("REDIS_PORT"))
    );
    assert!(!session.has("REDIS_PASSWORD") && !session.has("REDISCLI_AUTH"));
    assert_eq!(redis_setting(&mut session.redis(), "requirepass"), "");
    session.end();
}

#[test]
fn a_time_out_that_is_too_short_is_an_error() {
    // Redis may be ready before anybody looks at a clock.
    let said = refusal(&["--command", "x=sleep 1000", "--start-timeout", "0.1", "--", "true"]);
    assert!(
        said.starts_with("x: sleep did not start: not ready within 100ms"),
        "{said}"
    );
}

#[test]
fn a_working_directory_stays_with_its_data() {
    let parent = private_root();
    let dir = parent.path().join("data");
    let dir = dir.to_str().unwrap();
    for expected in [0, 1] {
        let session = Session::start(&["redis", "--working-dir", dir, "--set", "appendonly=yes"]);
        assert!(session.var("REDIS_SOCKET").starts_with(dir));
        let mut connection = session.redis();
        let keys: i32 = redis::cmd("DBSIZE").query(&mut connection).unwrap();
        assert_eq!(keys, expected);
        let () = redis::cmd("SET")
            .arg("key")
            .arg("value")
            .query(&mut connection)
            .unwrap();
        session.end();
    }
    assert!(std::path::Path::new(dir).join("service.json").is_file());
}

#[test]
fn versions_are_chosen_in_both_ways() {
    for words in [
        &["redis@>=5, <99", "--", "true"][..],
        &["cache=redis@>=5", "--", "true"],
        &["redis", "--version", ">=5, <99", "--", "true"],
        &["--version", ">=5, <99", "redis", "--", "true"],
    ] {
        assert_eq!(super::printed(words), "");
    }
    for words in [
        &["redis@99.5", "--", "true"][..],
        &["redis", "--version", "99.5", "--", "true"],
        &["redis@7", "--version", "99.5", "--", "true"],
    ] {
        let said = refusal(words);
        assert!(
            said.contains("no usable binary of `redis-server`, version 99.5"),
            "{said}"
        );
    }
}

#[test]
fn postgres_takes_its_options() {
    let files = private_root();
    let config = write(files.path(), "postgresql.conf", "work_mem = '5MB'\n");
    let init = write(files.path(), "init.sql", "CREATE TABLE item AS SELECT 7 AS id;\n");
    let port = free_port();
    let words = [
        "postgres",
        "--user",
        "app",
        "--password",
        "s3cret",
        "--database",
        "shop",
        "--port",
        &port,
    ];
    let more = [
        "--set",
        "statement_timeout=4321ms",
        "--config",
        &config,
        "--init",
        &init,
        "--extension",
        "plpgsql",
    ];
    let last = ["--hba", "host all intruder 127.0.0.1/32 reject", "--tls"];
    let session = Session::start(&[&words[..], &more, &last].concat());
    let url = session.var("DATABASE_URL");
    assert!(
        url.starts_with(&format!("postgresql://app:s3cret@127.0.0.1:{port}/shop")),
        "{url}"
    );
    let one = |sql: &str| postgres_one(url, sql).unwrap();
    assert_eq!(one("SELECT current_user || ' ' || current_database()"), "app shop");
    assert_eq!(one("SHOW statement_timeout"), "4321ms");
    assert_eq!(one("SHOW work_mem"), "5MB");
    assert_eq!(one("SELECT id::text FROM item"), "7");
    assert_eq!(one("SHOW ssl"), "on");
    let intruder = format!("postgresql://intruder:x@127.0.0.1:{port}/shop");
    let error = postgres_one(&intruder, "SELECT ''").unwrap_err().to_string();
    assert!(error.contains("pg_hba.conf rejects connection"), "{error}");
    let names = ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"];
    assert_eq!(
        names.map(|name| session.var(name)),
        ["127.0.0.1", &port, "app", "s3cret", "shop"]
    );
    let authority = fs::read_to_string(session.var("PGSSLROOTCERT")).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"), "{authority}");
    session.end();
}

#[test]
fn a_directory_of_migrations_is_loaded_in_order() {
    let files = private_root();
    write(files.path(), "2_fill.sql", "INSERT INTO item VALUES (8);\n");
    write(files.path(), "1_make.sql", "CREATE TABLE item (id int);\n");
    let dir = files.path().to_str().unwrap();
    let session = Session::start(&["--without-password", "pg=postgres", "--init", dir]);
    assert!(!session.has("PGPASSWORD"));
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", session.var("PG_PORT"));
    assert_eq!(postgres_one(&url, "SELECT id::text FROM item").unwrap(), "8");
    session.end();
}

#[test]
fn a_dump_in_a_directory_is_no_directory_of_migrations() {
    let postgres = postgres()
        .init_sql("CREATE TABLE item AS SELECT 8 AS id")
        .start()
        .unwrap();
    let files = private_root();
    let dump = files.path().join("dump").to_str().unwrap().to_owned();
    let dumped = postgres.client("pg_dump").unwrap().args(["-Fd", "-f", &dump]).status();
    assert!(dumped.unwrap().success());
    let session = Session::start(&["postgres", "--init", &dump]);
    let item = postgres_one(session.var("DATABASE_URL"), "SELECT id::text FROM item");
    assert_eq!(item.unwrap(), "8");
    session.end();
}

#[test]
fn options_before_the_first_daemon_are_for_all_and_those_after_one_for_that() {
    let words = [
        "--password",
        "all",
        "--set",
        "hz=20",
        "one=redis",
        "--set",
        "maxmemory=9mb",
        "two=redis",
    ];
    let session = Session::start(&[&words[..], &["--set", "hz=30", "nginx"]].concat());
    let expected = [("ONE", "20", "9437184"), ("TWO", "30", "0")];
    for (name, hz, memory) in expected {
        let url = session.var(&format!("{name}_URL"));
        assert!(url.starts_with("redis://:all@"), "{url}");
        let mut connection = super::connect(url);
        assert_eq!(redis_setting(&mut connection, "hz"), hz, "{name}");
        assert_eq!(redis_setting(&mut connection, "maxmemory"), memory, "{name}");
    }
    // Clients find the first of each kind.
    assert_eq!(session.var("REDIS_URL"), session.var("ONE_URL"));
    // It has neither option.
    assert!(session.has("NGINX_URL"));
    session.end();
}

#[test]
fn the_daemons_end_with_the_command() {
    let session = Session::start(&["redis"]);
    let address = format!("127.0.0.1:{}", session.var("REDIS_PORT"));
    assert!(TcpStream::connect(&address).is_ok());
    session.end();
    eventually_false("listening", || TcpStream::connect(&address).is_ok());
}

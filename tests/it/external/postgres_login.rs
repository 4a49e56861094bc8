//! URLs of PostgreSQL: bad ones, those with TLS, and other kinds of passwords.

use std::fs;

use managed_daemons::PostgresDaemon;
use managed_daemons_tests::postgres as builder;

use super::postgres::{psql, remains, VARIABLE};
use super::relay::Relay;
use super::{failure, url, Machine};
use crate::support::private_root;

#[test]
fn a_bad_url_is_one_clear_error_without_the_password() {
    let server = builder().start().unwrap();
    let port = server.port();
    let (host, password) = (format!("127.0.0.1:{port}"), server.password().unwrap());
    for (url, problem) in [
        (format!("postgres:{password}@{host}"), "no URL"),
        (format!("http://postgres:{password}@{host}"), "scheme `http`"),
        (format!("postgresql://postgres:{password}@/x"), "names no host"),
        (
            format!("postgresql://postgres:{password}@127.0.0.1:1/x"),
            "check the host and the port",
        ),
        (
            format!("postgresql://postgres:{password}0@{host}/postgres"),
            "check the user and the password",
        ),
        (
            format!("postgresql://nobody:{password}@{host}/postgres"),
            "check the user and the password",
        ),
        (
            format!("postgresql://postgres:{password}@{host}/nothing"),
            "name a database that exists",
        ),
        (
            format!("postgresql://postgres:{password}@{host}/postgres?sslmode=strict"),
            "sslmode",
        ),
        (
            format!("postgresql://postgres:{password}@{host}/postgres?sslmode=require"),
            "TLS",
        ),
    ] {
        let mut machine = Machine::new(&[(VARIABLE, &url)]);
        let failed = failure(&mut machine, "postgres");
        assert!(failed.contains(problem) && failed.contains(VARIABLE), "{url}: {failed}");
        assert!(!failed.contains(password), "{failed}");
        machine.end();
    }
    assert_eq!(remains(&server), [""; 0]);
}

/// Uses a database of the server with this URL.
#[track_caller]
fn assert_works(server: &PostgresDaemon, account: &str, ending: &str) {
    let mut machine = Machine::new(&[(VARIABLE, account)]);
    let mut test = machine.start("postgres-orders");
    let url = url(&mut test);
    assert!(url.ends_with(ending), "{url}");
    assert_eq!(psql(&url, "SELECT count(*) FROM orders").unwrap(), "2");
    test.end();
    machine.end();
    assert_eq!(remains(server), [""; 0]);
}

#[test]
fn connections_are_as_safe_as_the_url_asks_for() {
    let server = builder().require_tls().start().unwrap();
    let other = builder().tls().start().unwrap();
    let of = |server: &PostgresDaemon| server.tls_ca().unwrap().display().to_string();
    let (ca, wrong_ca) = (of(&server), of(&other));
    let by_name = server.url().replace("@127.0.0.1:", "@localhost:");
    for ending in [
        String::from("?sslmode=require"),
        format!("?sslrootcert={ca}"),
        format!("?sslmode=verify-ca&sslrootcert={ca}"),
        format!("?sslmode=verify-full&sslrootcert={ca}"),
    ] {
        assert_works(&server, &format!("{by_name}{ending}"), &ending);
    }
    // Without a parameter, a server that insists on TLS gets it.
    assert_works(&server, &server.url(), "");
    let not_signed = format!("no authority in `{wrong_ca}`, which `sslrootcert` names, has signed it");
    for (url, problem) in [
        (
            format!("{by_name}?sslmode=verify-full&sslrootcert={wrong_ca}"),
            &*not_signed,
        ),
        (format!("{by_name}?sslrootcert={wrong_ca}"), &not_signed),
        (
            format!("{by_name}?sslmode=verify-ca&sslrootcert=/no/such/file"),
            "/no/such/file",
        ),
        (format!("{by_name}?sslmode=disable"), "no encryption"),
    ] {
        let mut machine = Machine::new(&[(VARIABLE, &url)]);
        let failed = failure(&mut machine, "postgres");
        assert!(failed.contains(problem), "{url}: {failed}");
        machine.end();
    }
}

#[test]
fn psql_makes_as_sure_of_the_server_as_the_url_asks_for() {
    let server = builder().require_tls().start().unwrap();
    let ca = server.tls_ca().unwrap();
    let by_name = server.url().replace("@127.0.0.1:", "@localhost:");
    let files = private_root();
    let script = files.path().join("orders.sql");
    fs::write(
        &script,
        "CREATE TABLE orders (id int);\n\\copy orders FROM stdin\n7\n\\.\n",
    )
    .unwrap();
    let action = format!("postgres-file {}", script.display());
    let (dir, ca) = (ca.parent().unwrap(), ca.as_os_str().to_str().unwrap());
    for (ending, authorities) in [
        (format!("?sslmode=verify-full&sslrootcert={ca}"), ""),
        // From where the test runs; the keeper works elsewhere.
        (String::from("?sslmode=verify-full&sslrootcert=ca.crt"), ""),
        // Those that the system trusts.
        (String::from("?sslmode=verify-full"), ca),
    ] {
        let account = format!("{by_name}{ending}");
        let mut machine = Machine::new(&[(VARIABLE, &account), ("SSL_CERT_FILE", authorities)]);
        let mut test = machine
            .run
            .start_through(&action, &format!("cd {} && exec", dir.display()));
        let mut url = url(&mut test);
        if !authorities.is_empty() {
            url += &format!("&sslrootcert={ca}");
        }
        assert_eq!(psql(&url, "SELECT id FROM orders").unwrap(), "7");
        test.end();
        machine.end();
    }
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn a_server_that_does_not_prove_that_it_knows_the_password_is_refused() {
    const FINAL: &[u8] = &[0, 0, 0, 12];
    let server = builder().start().unwrap();
    let without: fn(u8, &mut [u8]) -> bool = |kind, body| kind != b'R' || !body.starts_with(FINAL);
    let with_another: fn(u8, &mut [u8]) -> bool = |kind, body| {
        if kind == b'R' && body.starts_with(FINAL) {
            body[10] = if body[10] == b'A' { b'B' } else { b'A' };
        }
        true
    };
    for change in [without, with_another] {
        let relay = Relay::to(&server, change);
        let mut machine = Machine::new(&[(VARIABLE, relay.url())]);
        let failed = failure(&mut machine, "postgres");
        assert!(
            failed.contains("without a proof that it knows the password"),
            "{failed}"
        );
        machine.end();
    }
    let relay = Relay::to(&server, |_, _| true);
    let mut machine = Machine::new(&[(VARIABLE, relay.url())]);
    let mut test = machine.start("postgres");
    assert_eq!(psql(&url(&mut test), "SELECT 1").unwrap(), "1");
    test.end();
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn passwords_in_md5_and_in_clear_text_over_tls_are_known() {
    let server = builder()
        .tls()
        .hba("host all old 127.0.0.1/32 md5")
        .hba("hostssl all clear 127.0.0.1/32 password")
        .hba("host all clear 127.0.0.1/32 password")
        .start()
        .unwrap();
    let sql = "SET password_encryption = 'md5'; CREATE ROLE old LOGIN CREATEDB CREATEROLE PASSWORD 's3cret'; \
               SET password_encryption = 'scram-sha-256'; CREATE ROLE clear LOGIN CREATEDB CREATEROLE PASSWORD 's3cret'";
    server.query(sql).unwrap();
    assert_works(&server, &server.url_for("old", "s3cret"), "");
    let clear = server.url_for("clear", "s3cret");
    assert_works(&server, &format!("{clear}?sslmode=require"), "?sslmode=require");
    let mut machine = Machine::new(&[(VARIABLE, &format!("{clear}?sslmode=disable"))]);
    let failed = failure(&mut machine, "postgres");
    assert!(
        failed.contains("clear text") && failed.contains("sslmode=require"),
        "{failed}"
    );
    machine.end();
}

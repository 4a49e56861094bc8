//! tokio-postgres, sqlx and libpq can use every URL.

use managed_daemons::PostgresDaemon;
use sqlx::{Connection, PgConnection, Row};
use tokio_postgres::error::SqlState;

use super::{builder, connect, output, runtime, start};
use crate::support::is_plain_run;

/// Characters that have a meaning in a URL, in SQL or in a configuration.
const USER: &str = "Ann Oñeil@ex:am/ple?#%&";
const PASSWORD: &str = "q\"u'o\\te\n#%@:/?& \t$&{}";
const DATABASE: &str = "da\"ta b'a/s?e";

fn urls(daemon: &PostgresDaemon) -> [String; 2] {
    [daemon.url(), daemon.unix_socket_url()]
}

const WHO: &str = "SELECT current_user::text, current_database()::text";

#[track_caller]
fn assert_every_client_gets_in(daemon: &PostgresDaemon) {
    let expected = (daemon.username().to_owned(), daemon.database().to_owned());
    for url in urls(daemon) {
        runtime().block_on(async {
            let row = connect(&url).await.unwrap().query_one(WHO, &[]).await.unwrap();
            assert_eq!((row.get(0), row.get(1)), expected, "tokio-postgres, {url}");
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let row = sqlx::query(WHO).fetch_one(&mut connection).await.unwrap();
            assert_eq!((row.get(0), row.get(1)), expected, "sqlx, {url}");
        });
        let args = ["--tuples-only", "--no-align", "--field-separator=\n", "-c", WHO, &url];
        let mut bare = daemon.psql().unwrap();
        // The URL must be enough.
        for name in ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD"] {
            bare.env_remove(name);
        }
        let text = output(Ok(bare), &args);
        assert_eq!(text, format!("{}\n{}\n", expected.0, expected.1), "libpq, {url}");
    }
    let args = ["--tuples-only", "--no-align", "--field-separator=\n", "-c", WHO];
    let text = output(daemon.psql(), &args);
    assert_eq!(text, format!("{}\n{}\n", expected.0, expected.1), "psql");
}

#[test]
fn every_client_gets_in_with_plain_names() {
    assert_every_client_gets_in(&start(builder()));
}

#[test]
fn every_client_gets_in_with_special_characters() {
    let daemon = start(builder().username(USER).password(PASSWORD).database(DATABASE));
    assert_eq!(daemon.password(), Some(PASSWORD));
    assert_every_client_gets_in(&daemon);
}

#[test]
fn every_client_gets_in_with_names_and_passwords_that_are_not_ascii() {
    assert_every_client_gets_in(&start(
        builder().username("jürgen").password("pässwörd").database("größe"),
    ));
}

#[test]
fn clients_may_normalise_a_password() {
    // A ligature and a decomposed letter. The server hashes the normal form, "fiü". sqlx does not
    // normalise passwords, so it gets in only with that.
    let (given, normal) = ("\u{fb01}u\u{308}", "fi\u{fc}");
    let daemon = start(builder().password(given));
    let url = daemon.url();
    runtime().block_on(async {
        connect(&url).await.unwrap();
        let normalised = url.replace(&encoded(given), &encoded(normal));
        assert_ne!(url, normalised);
        connect(&normalised).await.unwrap();
        PgConnection::connect(&normalised).await.unwrap();
    });
    output(daemon.psql(), &["-c", WHO]);
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[test]
fn every_client_gets_in_without_a_password() {
    let daemon = start(builder().without_password());
    assert_eq!(daemon.password(), None);
    assert_every_client_gets_in(&daemon);
}

#[test]
fn the_number_of_scram_iterations_can_be_chosen() {
    let daemon = start(builder().scram_iterations(4096));
    assert_every_client_gets_in(&daemon);
    let stored = daemon
        .query("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
        .unwrap();
    assert!(super::single(&stored).starts_with("SCRAM-SHA-256$4096:"));
}

#[test]
fn nobody_gets_in_with_another_password() {
    let daemon = start(builder());
    let password = daemon.password().unwrap();
    assert_eq!(password.len(), 32);
    runtime().block_on(async {
        for url in urls(&daemon) {
            for other in ["", "wrong", &password.to_uppercase()] {
                let error = connect(&url.replace(password, other)).await.err();
                assert!(error.is_some(), "{other:?} is accepted");
            }
        }
    });
}

#[test]
fn passwords_are_shown_nowhere() {
    let daemon = start(builder().password("hush-hush").extra_user("r", "hush-hush"));
    assert!(!format!("{daemon:?}").contains("hush"));
    assert!(!daemon.log().unwrap().contains("hush"));
    let pid = daemon.pid().unwrap();
    for file in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hush"), "{file}");
    }
}

/// The URL is known before the start, so a client may connect before the start is over.
#[test]
fn a_client_that_connects_during_the_start_finds_everything() {
    let is_plain = is_plain_run();
    for _ in 0..5 {
        let configured = builder().configure().unwrap();
        let url = configured.url();
        let daemon = std::thread::scope(|scope| {
            scope.spawn(|| {
                runtime().block_on(async {
                    let client = loop {
                        match connect(&url).await {
                            Ok(client) => break client,
                            // Nobody listens yet, or the server is starting.
                            Err(error) if error.code().is_none_or(|code| *code == SqlState::CANNOT_CONNECT_NOW) => {}
                            // Without fast paths, SQL sets the password once the server runs.
                            Err(error) if is_plain && error.code() == Some(&SqlState::INVALID_PASSWORD) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                    };
                    client.batch_execute("CREATE TABLE early (n int)").await.unwrap();
                    client.batch_execute("CREATE DATABASE another").await.unwrap();
                });
            });
            configured.start().unwrap()
        });
        let tables = daemon
            .query("SELECT count(*) FROM pg_class WHERE relname = 'early'")
            .unwrap();
        assert_eq!(tables, [[Some(String::from("1"))]]);
        runtime().block_on(async {
            let url = daemon.url();
            let url = format!("{}/another", url.strip_suffix("/postgres").unwrap());
            let rows = connect(&url)
                .await
                .unwrap()
                .query("SELECT count(*) FROM pg_proc", &[])
                .await;
            assert!(rows.unwrap()[0].get::<_, i64>(0) > 1000);
        });
    }
}

//! PostgreSQL, used through the clients that people use.

mod clients;
mod config_file;
mod dumps;
mod extensions;
mod hba_file;
mod ident_file;
mod init_files;
mod init_sql;
mod killed_test_process;
mod languages;
mod lifecycle;
mod locales;
mod options;
mod replicas;
mod shared_memory;
mod tls;
mod tools;
mod work;

use std::process::Command;

use managed_daemons::{ManagedDaemonError, PostgresBuilder, PostgresDaemon};
use managed_daemons_tests::postgres as builder;
use tokio_postgres::{Client, NoTls};

fn start(builder: PostgresBuilder) -> PostgresDaemon {
    builder.start().unwrap_or_else(|error| panic!("{}", error.report()))
}

/// The report of a start that must fail.
#[track_caller]
fn refusal(builder: PostgresBuilder) -> String {
    match builder.start() {
        Ok(daemon) => panic!("{daemon:?} should not have started"),
        Err(error) => error.report(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A tokio-postgres connection, driven in the background.
async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The single value that a query returns.
#[track_caller]
fn value(daemon: &PostgresDaemon, sql: &str) -> String {
    single(&daemon.query(sql).unwrap_or_else(|error| panic!("{}", error.report())))
}

#[track_caller]
fn single(rows: &[Vec<Option<String>>]) -> String {
    match rows {
        [row] => row[0].clone().unwrap(),
        _ => panic!("{rows:?}"),
    }
}

/// Runs a client program, and returns its output; `None` where only the server is installed.
fn output(command: Result<Command, ManagedDaemonError>, args: &[&str]) -> String {
    let mut command = command.unwrap_or_else(|error| panic!("{}", error.report()));
    let output = command.args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

//! MariaDB and MySQL. Most tests run on both servers.

use std::future::Future;

use managed_daemons_tests::{mariadb, mysql};
use mysql_async::prelude::Queryable;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::{Connection, Executor, MySqlConnection};

mod accounts;
mod clients;
mod config_file;
mod dumps;
mod failed_start;
mod init_sql;
mod killed_test_process;
mod lifecycle;
mod passwords;
mod plugins;
mod settings;

/// Makes two tests of each function, `mariadb::name` and `mysql::name`. It passes the function that
/// makes a builder for that server.
macro_rules! on_both_servers {
    ($($name:ident),* $(,)?) => {
        mod mariadb {
            $(#[test] fn $name() { super::$name(managed_daemons_tests::mariadb) })*
        }
        mod mysql {
            $(#[test] fn $name() { super::$name(managed_daemons_tests::mysql) })*
        }
    };
}
pub(crate) use on_both_servers;

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// An error of the server or of its client.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The server's number for it, unless the client refused.
    code: Option<u16>,
    #[allow(dead_code)] // read through `Debug`, in a failure
    text: String,
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        let server_error = error.as_database_error();
        let server_error = server_error.and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        Self {
            code: server_error.map(MySqlDatabaseError::number),
            text: error.to_string(),
        }
    }
}

impl From<mysql_async::Error> for Refused {
    fn from(error: mysql_async::Error) -> Self {
        let code = match &error {
            mysql_async::Error::Server(error) => Some(error.code),
            _ => None,
        };
        Self {
            code,
            text: error.to_string(),
        }
    }
}

/// Whether a URL names a Unix socket. mysql_async takes these: sqlx can't log in to MySQL over one.
fn is_socket(url: &str) -> bool {
    url.contains("?socket=")
}

/// Runs statements in one session.
pub(crate) fn run(url: &str, sql: &str) -> Result<(), Refused> {
    block_on(async {
        if is_socket(url) {
            let mut connection = mysql_async::Conn::from_url(url).await?;
            connection.query_drop(sql).await?;
            return Ok(connection.disconnect().await?);
        }
        let mut connection = MySqlConnection::connect(url).await?;
        connection.execute(sql).await?;
        Ok(connection.close().await?)
    })
}

/// The first column of the first row.
pub(crate) fn one(url: &str, sql: &str) -> Result<String, Refused> {
    block_on(async {
        if is_socket(url) {
            let mut connection = mysql_async::Conn::from_url(url).await?;
            let value = connection.query_first(sql).await?;
            connection.disconnect().await?;
            return Ok(value.unwrap());
        }
        let mut connection = MySqlConnection::connect(url).await?;
        let value = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(value)
    })
}

/// The server's number for its error.
pub(crate) fn code<T>(result: Result<T, Refused>) -> Option<u16> {
    result.err()?.code
}

/// `Access denied for user`.
pub(crate) const ACCESS_DENIED: u16 = 1045;
/// `Access denied for user … to database`.
pub(crate) const DATABASE_ACCESS_DENIED: u16 = 1044;

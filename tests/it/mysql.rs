//! MariaDB and MySQL: every test below runs on both servers.

use std::future::Future;

use managed_daemons::{Builder, Flavor, MySql, MySqlDaemon};
use mysql_async::prelude::Queryable;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::{Connection, Executor, MySqlConnection};

mod accounts;
mod clients;
mod failure;
mod init_sql;
mod lifecycle;
mod nothing_left;
mod passwords;
mod settings;

/// Makes two tests, `mariadb::name` and `mysql::name`, of each function, which is given a way to a builder for the server.
macro_rules! on_both_servers {
    ($($name:ident),* $(,)?) => {
        mod mariadb {
            $(#[test] fn $name() { super::$name(crate::mysql::mariadb) })*
        }
        mod mysql {
            $(#[test] fn $name() { super::$name(crate::mysql::mysql) })*
        }
    };
}
pub(crate) use on_both_servers;

pub(crate) fn mariadb() -> Builder<MySql> {
    MySqlDaemon::builder().flavor(Flavor::MariaDb)
}

/// Of Debian's suites only the unstable one has MySQL.
pub(crate) fn mysql() -> Builder<MySql> {
    let builder = MySqlDaemon::builder().flavor(Flavor::MySql);
    let named = ["MANAGED_DAEMONS_MYSQL_BIN", "MANAGED_DAEMONS_MYSQL_SUITE"];
    let os = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let debian = os.lines().any(|line| line == "ID=debian");
    if debian && named.iter().all(|name| std::env::var_os(name).is_none()) {
        return builder.suite("sid");
    }
    builder
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// What a client says when the server, or itself, refuses.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The server's number for it.
    code: Option<u16>,
    #[allow(dead_code)]
    text: String,
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        let of_server = error.as_database_error();
        let of_server = of_server.and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        Self {
            code: of_server.map(MySqlDatabaseError::number),
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

/// sqlx speaks to the servers over TCP. Over a socket it can't log in to MySQL, where mysql_async can.
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

/// The server's number for what it refused.
pub(crate) fn code<T>(result: Result<T, Refused>) -> Option<u16> {
    result.err()?.code
}

/// `Access denied for user`.
pub(crate) const ACCESS_DENIED: u16 = 1045;
/// `Access denied for user … to database`.
pub(crate) const DATABASE_ACCESS_DENIED: u16 = 1044;

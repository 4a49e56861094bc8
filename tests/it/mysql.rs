//! MariaDB and MySQL: every test below runs on both servers.

use std::future::Future;

use managed_daemons::{Builder, Flavor, MySql, MySqlDaemon};
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

/// Runs statements in one session.
pub(crate) fn run(url: &str, sql: &str) -> sqlx::Result<()> {
    block_on(async {
        let mut connection = MySqlConnection::connect(url).await?;
        connection.execute(sql).await?;
        connection.close().await
    })
}

/// The first column of the first row.
pub(crate) fn one(url: &str, sql: &str) -> sqlx::Result<String> {
    block_on(async {
        let mut connection = MySqlConnection::connect(url).await?;
        let value = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(value)
    })
}

/// The server's number for what it refused.
pub(crate) fn code<T>(result: sqlx::Result<T>) -> Option<u16> {
    use sqlx::mysql::MySqlDatabaseError;
    let error = result.err()?;
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// `Access denied for user`.
pub(crate) const ACCESS_DENIED: u16 = 1045;
/// `Access denied for user … to database`.
pub(crate) const DATABASE_ACCESS_DENIED: u16 = 1044;

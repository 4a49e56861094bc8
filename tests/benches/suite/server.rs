//! The servers that `#[sqlx::test]` needs: ones that run already, with the settings that they have
//! where nobody has changed them, and their data on the disk.

use std::path::Path;

use managed_daemons::{MySqlBuilder, MySqlDaemon, PostgresBuilder, PostgresDaemon};

use crate::suite::Suite;
use crate::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Postgres,
    MySql,
}

/// What the framework sets otherwise; see the documentation of [`PostgresDaemon`].
const POSTGRES_DEFAULTS: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("autovacuum", "on"),
    ("jit", "on"),
    ("shared_buffers", "128MB"),
    ("wal_buffers", "-1"),
    ("wal_init_zero", "on"),
    ("wal_recycle", "on"),
    ("min_wal_size", "80MB"),
    ("max_wal_size", "1GB"),
    ("min_dynamic_shared_memory", "0"),
    ("max_pred_locks_per_transaction", "64"),
    ("max_pred_locks_per_relation", "-2"),
];
/// The same for [`MySqlDaemon`], as far as both MariaDB and MySQL have it.
const MYSQL_DEFAULTS: &[(&str, &str)] = &[
    ("innodb_flush_log_at_trx_commit", "1"),
    ("innodb_doublewrite", "ON"),
    ("innodb_use_native_aio", "ON"),
    ("innodb_buffer_pool_size", "128M"),
    ("innodb_autoextend_increment", "64"),
];
/// What PostgreSQL's own hashing of passwords takes at each login.
const SCRAM_ITERATIONS: u32 = 4096;

fn postgres(root: Option<&Path>) -> PostgresBuilder {
    let builder = PostgresDaemon::builder().scram_iterations(SCRAM_ITERATIONS);
    let builder = POSTGRES_DEFAULTS
        .iter()
        .fold(builder, |builder, (name, value)| builder.setting(*name, *value));
    match root {
        Some(root) => builder.temp_root(root),
        None => builder,
    }
}

fn mysql(root: Option<&Path>) -> MySqlBuilder {
    let defaults = MYSQL_DEFAULTS.iter();
    let builder = defaults.fold(MySqlDaemon::builder(), |builder, (name, value)| {
        builder.setting(*name, *value)
    });
    match root {
        Some(root) => builder.temp_root(root),
        None => builder,
    }
}

pub(crate) struct Servers {
    postgres: Option<PostgresDaemon>,
    mysql: Option<MySqlDaemon>,
}

impl Servers {
    /// Starts those that the suites need, with their data below this directory, or in memory.
    pub(crate) fn start(suites: &[&Suite], root: Option<&Path>) -> Result<Self, Failure> {
        let is_needed = |server| {
            let mut all = suites.iter().flat_map(|suite| suite.contestants());
            all.any(|contestant| contestant.server == Some(server))
        };
        Ok(Self {
            postgres: is_needed(Server::Postgres)
                .then(|| postgres(root).start())
                .transpose()?,
            mysql: is_needed(Server::MySql).then(|| mysql(root).start()).transpose()?,
        })
    }

    pub(crate) fn url(&self, server: Server) -> Option<String> {
        match server {
            Server::Postgres => self.postgres.as_ref().map(|postgres| postgres.url()),
            Server::MySql => self.mysql.as_ref().map(|mysql| mysql.url()),
        }
    }
}

//! The servers that the tests of a daemon run against.

use managed_daemons::{Flavor, MySqlBuilder, MySqlDaemon, PostgresBuilder, PostgresDaemon};

/// Makes a builder for MariaDB or for MySQL.
pub type Server = fn() -> MySqlBuilder;

/// A builder for PostgreSQL.
///
/// `MANAGED_DAEMONS_TEST_POSTGRES` names a binary, to run the tests with another version.
#[must_use]
pub fn postgres() -> PostgresBuilder {
    match std::env::var_os("MANAGED_DAEMONS_TEST_POSTGRES") {
        Some(path) => PostgresDaemon::builder().binary(path),
        None => PostgresDaemon::builder(),
    }
}

/// A builder for MariaDB.
#[must_use]
pub fn mariadb() -> MySqlBuilder {
    MySqlDaemon::builder().flavor(Flavor::MariaDb)
}

/// A builder for MySQL, from Debian's unstable suite where the system is a Debian: no other suite
/// has it.
#[must_use]
pub fn mysql() -> MySqlBuilder {
    let builder = MySqlDaemon::builder().flavor(Flavor::MySql);
    let variables = ["MANAGED_DAEMONS_MYSQL_BIN", "MANAGED_DAEMONS_MYSQL_SUITE"];
    let chosen = variables.iter().any(|name| std::env::var_os(name).is_some());
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !chosen && release.lines().any(|line| line == "ID=debian") {
        return builder.suite("sid");
    }
    builder
}

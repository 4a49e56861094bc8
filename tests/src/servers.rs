//! The servers that the tests of a daemon run against.

use managed_daemons::{Flavor, MySqlBuilder, MySqlDaemon, PostgresBuilder, PostgresDaemon};

/// A function that makes a builder for MariaDB or for MySQL.
pub type Server = fn() -> MySqlBuilder;

/// A builder for PostgreSQL.
///
/// `MANAGED_DAEMONS_TEST_POSTGRES` names a binary, to run the tests with another version.
pub fn postgres() -> PostgresBuilder {
    match std::env::var_os("MANAGED_DAEMONS_TEST_POSTGRES") {
        Some(path) => PostgresDaemon::builder().binary(path),
        None => PostgresDaemon::builder(),
    }
}

/// A builder for MariaDB.
pub fn mariadb() -> MySqlBuilder {
    MySqlDaemon::builder().flavor(Flavor::MariaDb)
}

/// A builder for MySQL. On Debian, it comes from the unstable suite: no other suite has it.
pub fn mysql() -> MySqlBuilder {
    let builder = MySqlDaemon::builder().flavor(Flavor::MySql);
    match mysql_suite() {
        Some(suite) => builder.suite(suite),
        None => builder,
    }
}

/// The suite that has MySQL, where the default does not.
pub fn mysql_suite() -> Option<&'static str> {
    let variables = ["MANAGED_DAEMONS_MYSQL_BIN", "MANAGED_DAEMONS_MYSQL_SUITE"];
    let chosen = variables.iter().any(|name| std::env::var_os(name).is_some());
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    (!chosen && release.lines().any(|line| line == "ID=debian")).then_some("sid")
}

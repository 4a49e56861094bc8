//! What differs between a server that tests share and one of a test's own.

use managed_daemons::{Flavor, MySqlBuilder, MySqlDatabase, PostgresDaemon, PostgresDatabase};
use managed_daemons_tests::mysql_suite;

use super::mysql::pairs;
use super::{assert_documented, differing, Settings};

const PAGE: &str = include_str!("../../../fixtures/docs/share_a_server.md");
/// What somebody has set. The servers derive further settings from these.
const POSTGRES: &str = "SELECT name, current_setting(name) FROM pg_settings WHERE source = 'configuration file'";
const MARIADB: &str = "SELECT variable_name, global_value FROM information_schema.system_variables
    WHERE global_value_origin = 'CONFIG'";
const MYSQL: &str = "SELECT variable_name, variable_value FROM performance_schema.variables_info
    JOIN performance_schema.global_variables USING (variable_name)
    WHERE variable_source NOT IN ('COMPILED', 'DYNAMIC')";

/// The table of the page, without the rows of other servers.
fn table(server: &str) -> String {
    let (_, section) = PAGE.split_once("## Settings of a shared server\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    let rows: Vec<&str> = rows
        .enumerate()
        .filter(|(at, line)| *at < 2 || line.starts_with(&format!("| {server}: ")))
        .map(|(_, line)| line)
        .collect();
    rows.join("\n")
}

/// Compares the table with the settings that a shared server has and two others do not: what
/// differs between those differs between any two, such as their ports.
#[track_caller]
fn check(table: &str, shared: &Settings, [own, another]: [Settings; 2]) {
    let of_any = differing(&own, &another);
    let mut differs = differing(shared, &own);
    differs.retain(|name, _| !of_any.contains_key(name));
    assert_documented(table, &differs, |name| {
        differs.get(name).cloned().or(Some(String::from("as usual")))
    });
}

#[test]
fn the_table_of_a_shared_postgres_is_true() {
    let settings = |rows: managed_daemons::Result<Vec<Vec<Option<String>>>>| -> Settings {
        let rows = rows.unwrap().into_iter();
        let rows = rows.map(|row| row.into_iter().map(Option::unwrap_or_default));
        rows.map(|mut row| (row.next().unwrap(), row.next().unwrap())).collect()
    };
    let shared = settings(PostgresDatabase::start().unwrap().query(POSTGRES));
    let own = [(), ()].map(|()| settings(PostgresDaemon::start().unwrap().query(POSTGRES)));
    check(&table("PostgreSQL"), &shared, own);
}

#[test]
fn the_table_of_a_shared_mariadb_is_true() {
    let shared = MySqlDatabase::builder().flavor(Flavor::MariaDb).start().unwrap();
    check_mysql(MARIADB, &shared, managed_daemons_tests::mariadb);
}

#[test]
fn the_table_of_a_shared_mysql_is_true() {
    let builder = MySqlDatabase::builder().flavor(Flavor::MySql);
    let builder = match mysql_suite() {
        Some(suite) => builder.suite(suite),
        None => builder,
    };
    let shared = builder.start().unwrap();
    check_mysql(MYSQL, &shared, managed_daemons_tests::mysql);
}

#[track_caller]
fn check_mysql(sql: &str, shared: &MySqlDatabase, own: fn() -> MySqlBuilder) {
    let own = [(), ()].map(|()| pairs(&own().start().unwrap().url(), sql));
    check(&table("MariaDB and MySQL"), &pairs(&shared.url(), sql), own);
}

use managed_daemons::{Flavor, MySqlBuilder};
use sqlx::{Connection, MySqlConnection, Row};

use super::{assert_documented, Settings};
use crate::mysql::block_on;

const TABLE: &str = include_str!("../../../fixtures/src/daemons/mysql/settings.md");

/// Names and values of a query.
pub(super) fn pairs(url: &str, sql: &str) -> Settings {
    block_on(async {
        let mut connection = MySqlConnection::connect(url).await.unwrap();
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.unwrap();
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap_or_default()).unwrap();
        let pairs = rows
            .iter()
            .map(|row| (text(row.get_unchecked(0)).to_lowercase(), text(row.get_unchecked(1))));
        pairs.collect()
    })
}

fn check(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    let url = daemon.user_url("root").unwrap();
    let set = match daemon.flavor() {
        Flavor::MariaDb => {
            "SELECT variable_name, global_value FROM information_schema.system_variables
             WHERE global_value_origin = 'CONFIG' AND NOT global_value <=> default_value"
        }
        _ => {
            "SELECT variable_name, variable_value FROM performance_schema.variables_info
             JOIN performance_schema.global_variables USING (variable_name) 
             WHERE variable_source NOT IN ('COMPILED', 'DYNAMIC')"
        }
    };
    let all = pairs(&url, "SHOW GLOBAL VARIABLES");
    let other = match daemon.flavor() {
        Flavor::MariaDb => "| MySQL: ",
        _ => "| MariaDB: ",
    };
    let table: String = TABLE
        .lines()
        .filter(|line| !line.starts_with(other))
        .collect::<Vec<_>>()
        .join("\n");
    assert_documented(&table, &pairs(&url, set), |name| all.get(name).cloned());
}

#[test]
fn the_table_of_mariadb_is_true() {
    check(managed_daemons_tests::mariadb);
}

#[test]
fn the_table_of_mysql_is_true() {
    check(managed_daemons_tests::mysql);
}

use super::{assert_documented, Settings};

const TABLE: &str = include_str!("../../../fixtures/src/daemons/postgres/settings.md");

#[test]
fn the_table_of_postgres_is_true() {
    let daemon = managed_daemons_tests::postgres().start().unwrap();
    let set = "SELECT name, current_setting(name) FROM pg_settings
        WHERE setting IS DISTINCT FROM boot_val
        AND (source IN ('configuration file', 'command line', 'override') OR context = 'internal')
        AND name NOT IN ('data_directory_mode', 'shared_memory_size', 'shared_memory_size_in_huge_pages',
                         'transaction_deferrable', 'transaction_isolation', 'transaction_read_only')";
    let ask = |sql: &str| daemon.query(sql).unwrap_or_else(|error| panic!("{}", error.report()));
    let rows = ask(set).into_iter();
    let differing = rows.map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap_or_default()));
    let differing: Settings = differing.collect();
    assert_documented(TABLE, &differing, |name| {
        ask(&format!("SELECT current_setting('{name}', true)"))[0][0].clone()
    });
}

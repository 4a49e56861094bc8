//! The server's settings.

use managed_daemons::{Flavor, MySqlBuilder};

use super::{mariadb, on_both_servers, one, run};

on_both_servers!(
    named_time_zones_are_there_when_asked_for,
    settings_override_the_defaults,
    any_text_can_be_the_value_of_a_setting,
    a_setting_that_shapes_the_data_directory_works,
    databases_have_the_collation_of_the_server,
    the_defaults_are_what_tests_rely_on,
    the_systems_option_files_are_not_read,
);

fn settings_override_the_defaults(server: fn() -> MySqlBuilder) {
    let daemon = server()
        .setting("max-connections", "11")
        .setting("max_connections", "17")
        .setting("innodb_buffer_pool_size", "64M")
        .setting("sql_mode", "")
        .start()
        .unwrap();
    let sql = "SELECT CONCAT(@@max_connections, ' ', @@innodb_buffer_pool_size, ' <', @@global.sql_mode, '>')";
    assert_eq!(one(&daemon.url(), sql).unwrap(), "17 67108864 <>");
}

fn any_text_can_be_the_value_of_a_setting(server: fn() -> MySqlBuilder) {
    // The server runs this for each connection of a user who is no superuser.
    let value = "SET @seen = 'a\"b # c\\\\d\n[client]\nuser=x\t ;'";
    let daemon = server()
        .username("app")
        .password("pass")
        .setting("init_connect", value)
        .start()
        .unwrap();
    assert_eq!(one(&daemon.url(), "SELECT @@init_connect").unwrap(), value);
    assert_eq!(
        one(&daemon.url(), "SELECT @seen").unwrap(),
        "a\"b # c\\d\n[client]\nuser=x\t ;"
    );
}

fn a_setting_that_shapes_the_data_directory_works(server: fn() -> MySqlBuilder) {
    let daemon = server()
        .setting("lower_case_table_names", "1")
        .setting("innodb_page_size", "8K")
        .start()
        .unwrap();
    run(
        &daemon.url(),
        "CREATE TABLE Mixed (n INT); INSERT INTO mIXED VALUES (1)",
    )
    .unwrap();
    assert_eq!(
        one(&daemon.url(), "SELECT CAST(@@innodb_page_size AS CHAR)").unwrap(),
        "8192"
    );
}

fn databases_have_the_collation_of_the_server(server: fn() -> MySqlBuilder) {
    let daemon = server().setting("collation_server", "utf8mb4_bin").start().unwrap();
    assert_eq!(
        one(&daemon.url(), "SELECT @@collation_database").unwrap(),
        "utf8mb4_bin"
    );
}

fn the_defaults_are_what_tests_rely_on(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    run(&daemon.url(), "CREATE TABLE t (n INT PRIMARY KEY, b LONGBLOB)").unwrap();
    let sql = "SELECT CONCAT_WS(' ', @@character_set_server, @@default_storage_engine, @@autocommit + 0, @@lower_case_table_names)";
    assert_eq!(one(&daemon.url(), sql).unwrap(), "utf8mb4 InnoDB 1 0");
    assert_eq!(one(&daemon.url(), "SELECT CONCAT('x' = 'X', 'x' = 'y')").unwrap(), "10");
    let collation = one(&daemon.url(), "SELECT @@collation_server").unwrap();
    let documented = match daemon.flavor() {
        Flavor::MySql => ["utf8mb4_0900_ai_ci"; 2],
        _ => ["utf8mb4_general_ci", "utf8mb4_uca1400_ai_ci"],
    };
    assert!(documented.contains(&collation.as_str()), "{collation}");
    // The redo log is small, but a large row fits.
    run(&daemon.url(), "INSERT INTO t VALUES (1, REPEAT('x', 5000000))").unwrap();
    assert_eq!(
        one(&daemon.url(), "SELECT CAST(LENGTH(b) AS CHAR) FROM t").unwrap(),
        "5000000"
    );
    // The buffer pool is small, but a transaction may lock many rows.
    let limit = match daemon.flavor() {
        Flavor::MySql => "cte_max_recursion_depth",
        _ => "max_recursive_iterations",
    };
    let fill = "CREATE TABLE many (n INT PRIMARY KEY); INSERT INTO many \
                WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200000) SELECT n FROM s; \
                START TRANSACTION; UPDATE many SET n = n + 1000000; COMMIT";
    run(&daemon.url(), &format!("SET SESSION {limit} = 1000000; {fill}")).unwrap();
    assert_eq!(
        one(&daemon.url(), "SELECT CAST(MIN(n) AS CHAR) FROM many").unwrap(),
        "1000001"
    );
}

fn the_systems_option_files_are_not_read(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    let cmdline = std::fs::read(format!("/proc/{}/cmdline", daemon.pid().unwrap())).unwrap();
    let cmdline = String::from_utf8_lossy(&cmdline).into_owned();
    let conf = daemon.working_dir().join("service.conf");
    // The server accepts this option as its first argument only, and then reads no other file.
    let after_program = cmdline.split_once("--").unwrap().1;
    let last_of_loader = after_program
        .rsplit_once("sbin/")
        .map_or(after_program, |(_, rest)| rest);
    let first = last_of_loader
        .split('\0')
        .find(|argument| argument.contains("defaults"))
        .unwrap();
    assert!(
        first.ends_with(&format!("defaults-file={}", conf.display())),
        "{cmdline:?}"
    );
}

#[test]
fn settings_that_the_framework_needs_are_refused() {
    for name in [
        "datadir",
        "bind-address",
        "loose_bind_address",
        "SOCKET",
        "port",
        "skip-grant-tables",
        "init_file",
    ] {
        let report = mariadb().setting(name, "1").start().unwrap_err().report();
        assert!(
            report.contains("option `setting`") && report.contains("set by the framework"),
            "{report}"
        );
    }
}

#[test]
fn malformed_settings_are_refused() {
    for (name, value, says) in [
        ("", "1", "not the name of a setting"),
        ("max connections", "1", "not the name of a setting"),
        ("a=1\nskip-grant-tables", "1", "not the name of a setting"),
        ("!include /etc/passwd", "1", "not the name of a setting"),
        ("init_connect", "a\0b", "contains NUL"),
        ("init_connect", &"x".repeat(5000), "longer than a line"),
    ] {
        let report = mariadb().setting(name, value).start().unwrap_err().report();
        assert!(report.contains("option `setting`") && report.contains(says), "{report}");
    }
}

fn named_time_zones_are_there_when_asked_for(server: fn() -> MySqlBuilder) {
    let sql = "SELECT IFNULL(CAST(CONVERT_TZ('2024-07-01 12:00:00', 'UTC', 'Europe/Berlin') AS CHAR), 'unknown')";
    let with = server()
        .time_zones()
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(one(&with.url(), sql).unwrap(), "2024-07-01 14:00:00");
    let without = server().start().unwrap();
    assert_eq!(one(&without.url(), sql).unwrap(), "unknown");
}

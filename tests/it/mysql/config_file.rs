//! The `my.cnf` that is deployed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use managed_daemons::{Flavor, MySqlBuilder, MySqlDaemon, Phase};
use tempfile::TempDir;

use super::{mariadb, on_both_servers, one, run};
use crate::support::{deploy, failure_in, private_root};

const CONFIG_FILE: &str = "my.cnf";

on_both_servers!(
    a_deployed_file_and_what_it_includes_are_used_but_for_what_is_ours,
    no_file_is_written_outside_of_the_working_directory,
    what_the_server_refuses_is_named_with_its_line,
);

/// A file in the style of the distributions', with what people add.
const DEPLOYED: &str = r#"
# the database of the shop
[client]
port = 3306
socket = /var/run/mysqld/mysqld.sock
[mysqld_safe]
nice = 0
[mysqld]
user = mysql
pid-file = /var/run/mysqld/mysqld.pid
socket = /var/run/mysqld/mysqld.sock
port = 3306
basedir = /usr
datadir = /var/lib/mysql
tmpdir = /tmp
bind-address = 0.0.0.0
skip-name-resolve
skip-external-locking
secure-file-priv = /var/lib/mysql-files
innodb_data_home_dir = /var/lib/mysql
log_error = /var/log/mysql/error.log
slow_query_log = 1
slow_query_log_file = /var/log/mysql/slow.log
log_bin = /var/log/mysql/mysql-bin.log
server-id = 7
lower_case_table_names = 1
max_connections = 31 # enough
max-allowed-packet = "32M"
!include more.cnf
max_connect_errors = 8
require-secure-transport = ON
[nosuch-group]
nonsense
!includedir /etc/mysql/conf.d/
"#;

/// What of an error names a line of the file.
fn line_of(dir: &TempDir, number: usize) -> String {
    format!("`{}`, line {number}: ", dir.path().join(CONFIG_FILE).display())
}

fn a_deployed_file_and_what_it_includes_are_used_but_for_what_is_ours(server: fn() -> MySqlBuilder) {
    let flavor = server().start().unwrap().flavor();
    let of_flavor = match flavor {
        Flavor::MariaDb => "[mysqld-10.11]\nconnect_timeout=13\n[mariadb]\nnet_read_timeout=33\nwsrep_on=ON\n",
        _ => "[server]\nconnect_timeout=13\nnet_read_timeout=33\n[mariadb]\nnonsense\n",
    };
    let (dir, path) = deploy(
        CONFIG_FILE,
        &[
            ("my.cnf", DEPLOYED),
            ("more.cnf", "[mysqld]\nsql_mode = 'ANSI'"),
            ("conf.d/a.cnf", of_flavor),
            ("conf.d/b.cnf", "[server]\nmax_user_connections = 5"),
            ("conf.d/c.txt", "[server]\nnonsense"),
        ],
    );
    let daemon = server()
        .config_file(&path)
        .setting("max_user_connections", "6")
        .username("clerk")
        .start()
        .unwrap();
    let variables = [
        "max_connections",
        "max_allowed_packet",
        "max_connect_errors",
        "max_user_connections",
        "server_id",
        "connect_timeout",
        "net_read_timeout",
        "log_bin + 0",
        "slow_query_log + 0",
        "innodb_flush_log_at_trx_commit", // our default, on which the file is silent
        "port",
    ];
    let sql = format!("SELECT CONCAT_WS(' ', @@{})", variables.join(", @@"));
    let expected = format!("31 33554432 8 6 7 13 33 1 1 2 {}", daemon.port());
    assert_eq!(one(&daemon.root_url(), &sql).unwrap(), expected);
    assert!(one(&daemon.url(), "SELECT @@global.sql_mode")
        .unwrap()
        .contains("ANSI_QUOTES"));
    let log = one(&daemon.url(), "SELECT @@slow_query_log_file").unwrap();
    assert_eq!(log, "slow.log");
    run(&daemon.url(), "CREATE TABLE Item (n INT); INSERT INTO ITEM VALUES (1)").unwrap();
    assert!(daemon.working_dir().join("data/mysql-bin.000001").exists());
    assert_eq!(fs::read_to_string(&path).unwrap(), DEPLOYED);
    drop(dir);
}

/// The settings of either server that name files or directories to write to.
const PLACES: &str =
    "aria_log_dir_path general_log_file innodb_data_home_dir innodb_directories innodb_doublewrite_dir \
    innodb_log_group_home_dir innodb_redo_log_archive_dirs innodb_temp_tablespaces_dir innodb_tmpdir \
    innodb_undo_directory log_bin log_bin_index log_ddl_recovery log_error log_isam log_slow_query_file log_tc \
    master_info_file pid_file relay_log relay_log_index relay_log_info_file replica_load_tmpdir rocksdb_datadir \
    rocksdb_wal_dir secure_file_priv server_audit_file_path slave_load_tmpdir slow_query_log_file socket tmpdir";

fn no_file_is_written_outside_of_the_working_directory(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let outside = root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o777)).unwrap();
    let place = outside.display();
    let mut text = String::from("[mysqld]\ngeneral_log = 1\nslow_query_log = 1\nserver_id = 7\n");
    for name in PLACES.split_whitespace() {
        text += &format!("loose_{name} = {place}/{name}\n");
    }
    text += &format!("innodb_data_file_path = {place}/one:12M;{place}/two:5M:autoextend\n");
    text += &format!("innodb_temp_data_file_path = {place}/temporary:12M:autoextend\n");
    let (_dir, path) = deploy(CONFIG_FILE, &[("my.cnf", &text)]);
    let daemon = server().config_file(path).start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    run(&daemon.root_url(), "CREATE TEMPORARY TABLE t (n INT) ENGINE InnoDB").unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let schema = match daemon.flavor() {
        Flavor::MariaDb => "information_schema",
        _ => "performance_schema",
    };
    let sql = format!(
        "SELECT CAST(COALESCE(GROUP_CONCAT(variable_name), '') AS CHAR) FROM {schema}.global_variables \
         WHERE variable_value LIKE '%{place}%'"
    );
    assert_eq!(one(&daemon.root_url(), &sql).unwrap(), "");
    let data = daemon.working_dir().join("data");
    for name in ["one", "two", "temporary", "general_log_file", "log_bin.000001"] {
        assert!(data.join(name).is_file(), "{name}");
    }
}

fn what_the_server_refuses_is_named_with_its_line(server: fn() -> MySqlBuilder) {
    for (text, number, words) in [
        (
            "[mysqld]\n# x\nmax_conections = 7",
            3,
            "unknown variable 'max_conections=7'",
        ),
        ("[server]\nskip-nosuch", 2, "skip-nosuch"),
        ("[mysqld]\nsql-mode = NOSUCH", 2, "NOSUCH"),
    ] {
        let (dir, path) = deploy(CONFIG_FILE, &[("my.cnf", text)]);
        let report = failure_in(Phase::Readiness, server().config_file(path));
        let hint = report.lines().find(|line| line.contains(&line_of(&dir, number)));
        assert!(hint.is_some_and(|line| line.contains(words)), "{text}: {report}");
    }
}

#[test]
fn what_is_not_there_is_named_with_its_line() {
    for (text, number, words) in [
        (
            "[mysqld]\n\n!includedir /etc/gone/conf.d/",
            3,
            "can't include `/etc/gone/conf.d/`: No such file",
        ),
        ("!include gone.cnf", 1, "/gone.cnf`: No such file"),
        ("port=1", 1, "`port=1` is in no group"),
        ("[mysqld\nport=1", 1, "`[mysqld` is not a group"),
        ("[mariadb]\nplugin_load_add = gone", 2, "the plugin `gone` is not in "),
        (
            "[mysqld]\nplugin-load = audit=gone.so",
            2,
            "the plugin `gone.so` is not in ",
        ),
        (
            "[mysqld]\nssl-ca = /etc/gone/ca.pem",
            2,
            "`ssl-ca`: `/etc/gone/ca.pem` is not there",
        ),
    ] {
        let (dir, path) = deploy(CONFIG_FILE, &[("my.cnf", text)]);
        let report = failure_in(Phase::Configure, mariadb().config_file(path));
        let line = report.lines().find(|line| line.contains(&line_of(&dir, number)));
        assert!(line.is_some_and(|line| line.contains(words)), "{text}: {report}");
    }
    let (_dir, path) = deploy(
        CONFIG_FILE,
        &[("my.cnf", "[mysqld]\nssl-ca = /etc/gone/ca.pem\nplugin_load_add = gone")],
    );
    let builder = mariadb().config_file(path).setting("ssl_ca", "");
    let daemon = builder.setting("plugin_load_add", "").start().unwrap();
    assert!(daemon.is_running());
}

#[test]
fn a_changed_file_is_read_by_a_later_start_and_where_sql_runs() {
    let (_dir, path) = deploy(CONFIG_FILE, &[("my.cnf", "[mysqld]\ncollation_server = utf8mb4_bin")]);
    let root = private_root();
    let at = root.path().join("mine");
    let sql = "CREATE TABLE seen AS SELECT @@collation_server AS name";
    let with_file = || mariadb().config_file(&path).init_sql(sql);
    let daemon = with_file().working_dir(&at).start().unwrap();
    let seen = |daemon: &MySqlDaemon| one(&daemon.url(), "SELECT name FROM seen").unwrap();
    assert_eq!(seen(&daemon), "utf8mb4_bin");
    fs::write(&path, "[mysqld]\ncollation_server = utf8mb4_german2_ci").unwrap();
    assert_eq!(seen(&with_file().start().unwrap()), "utf8mb4_german2_ci");
    daemon.stop().unwrap();
    drop(daemon);
    let daemon = MySqlDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    let now = one(&daemon.url(), "SELECT @@global.collation_server").unwrap();
    assert_eq!(now, "utf8mb4_german2_ci");
}

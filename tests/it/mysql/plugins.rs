//! Plugins, which are loaded before accounts are made.

use super::{mariadb, mysql, one, run};
use crate::support::{has_apt, private_root};

#[test]
fn an_account_can_be_identified_by_a_plugin() {
    if !has_apt() {
        return;
    }
    let daemon = mariadb()
        .plugin("auth_ed25519")
        .plugin("server_audit")
        .init_sql("CREATE USER clerk IDENTIFIED VIA ed25519 USING PASSWORD('s3cret')")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    let plugin = "SELECT CONVERT(plugin USING utf8mb4) FROM mysql.user WHERE user = 'clerk'";
    let plugin_of_clerk = || one(&daemon.root_url(), plugin).unwrap();
    assert_eq!(plugin_of_clerk(), "ed25519");
    run(&daemon.root_url(), "SET GLOBAL server_audit_logging = ON").unwrap();
    daemon.restart().unwrap();
    assert_eq!(plugin_of_clerk(), "ed25519");
    run(
        &daemon.root_url(),
        "CREATE USER another IDENTIFIED VIA ed25519 USING PASSWORD('x')",
    )
    .unwrap();
}

#[test]
fn mysql_loads_its_own_plugins() {
    let daemon = mysql().plugin("mysql_no_login").start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    run(&daemon.root_url(), "CREATE USER owner IDENTIFIED WITH mysql_no_login").unwrap();
    let report = mysql()
        .plugin("component_validate_password")
        .start()
        .unwrap_err()
        .report();
    assert!(
        report.contains("is a component: use `init_sql` with INSTALL COMPONENT"),
        "{report}"
    );
}

#[test]
fn what_the_log_says_of_an_earlier_start_is_no_obstacle() {
    let root = private_root();
    let at = root.path().join("mine");
    let earlier = mysql()
        .working_dir(&at)
        .setting("plugin_load_add", "gone")
        .start()
        .unwrap();
    let log = earlier.log().unwrap();
    assert!(log.contains("Can't open shared library"), "{log}");
    drop(earlier);
    let daemon = mysql()
        .working_dir(&at)
        .setting("plugin_load_add", "")
        .plugin("mysql_no_login")
        .username("clerk")
        .start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    run(&daemon.root_url(), "CREATE USER owner IDENTIFIED WITH mysql_no_login").unwrap();
}

#[test]
fn a_plugin_that_is_not_there_is_answered_with_those_that_are() {
    if !has_apt() {
        return;
    }
    let report = mariadb().plugin("auth_ed25518").start().unwrap_err().report();
    assert!(report.contains("without plugin `auth_ed25518`"), "{report}");
    assert!(report.contains("auth_ed25519, "), "{report}");
    let report = mariadb().plugin("../x").start().unwrap_err().report();
    assert!(report.contains("option `plugin`: \"../x\" is not a plugin"), "{report}");
}

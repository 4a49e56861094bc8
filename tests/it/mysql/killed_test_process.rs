//! A test process that is killed leaves no server, and no data but that in a user's directory.

use std::time::Duration;

use managed_daemons::{MySqlBuilder, MySqlDaemon};

use super::{one, run};
use crate::support::{assert_kills_leave_nothing, private_root};

const KILLS: u32 = 20;

#[test]
fn sigkill_at_any_moment_leaves_nothing_of_mariadb() {
    // A start takes some 60 ms, a template longer.
    let moments = (0..KILLS).map(|kill| Duration::from_millis(13) * kill);
    assert_kills_leave_nothing("mariadb churn", None, moments);
}

#[test]
fn sigkill_at_any_moment_leaves_nothing_of_mysql() {
    // A start takes some 400 ms.
    let moments = (0..KILLS).map(|kill| Duration::from_millis(90) * kill);
    assert_kills_leave_nothing("mysql churn", None, moments);
}

super::on_both_servers!(a_users_directory_survives_the_kill_of_its_server);

fn a_users_directory_survives_the_kill_of_its_server(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = server().working_dir(&dir).start().unwrap();
    run(
        &daemon.url(),
        "CREATE TABLE kept (what TEXT); INSERT INTO kept VALUES ('yes')",
    )
    .unwrap();
    daemon.kill().unwrap();
    drop(daemon);
    let daemon = MySqlDaemon::load(&dir).unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(one(&daemon.url(), "SELECT what FROM kept").unwrap(), "yes");
}

//! However a test process with a server ends, nothing is left.

use std::time::Duration;

use managed_daemons::{Builder, MySql, MySqlDaemon};

use super::{one, run};
use crate::nothing_left::Victim;
use crate::support::private_root;

/// A process that starts, restarts and drops servers, killed at moments spread over its life: a start takes from some 60 to
/// some 400 ms, a template longer.
fn after_sigkill_at_any_moment(victim: &str, step: Duration) {
    for kill in 0..20 {
        let mut victim = Victim::start(victim);
        victim.wait_for("main");
        std::thread::sleep(step * kill);
        victim.child.kill().unwrap();
        victim.leaves_nothing();
    }
}

#[test]
fn after_sigkill_at_any_moment_mariadb() {
    after_sigkill_at_any_moment("churns_mariadb", Duration::from_millis(13));
}

#[test]
fn after_sigkill_at_any_moment_mysql() {
    after_sigkill_at_any_moment("churns_mysql", Duration::from_millis(90));
}

super::on_both_servers!(a_users_directory_survives_the_kill_of_its_process);

fn a_users_directory_survives_the_kill_of_its_process(server: fn() -> Builder<MySql>) {
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

//! System V shared memory outlives its process, but not the daemon.

use managed_daemons::PostgresDaemon;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{builder, start, value};
use crate::support::{eventually, eventually_false};

#[test]
fn a_kill_leaves_no_segment() {
    let daemon = start(builder());
    let id = segment(&daemon);
    assert!(has_segment(&id));
    daemon.kill().unwrap();
    assert!(!has_segment(&id));
    daemon.start_if_not_running().unwrap();
    let id = segment(&daemon);
    drop(daemon);
    assert!(!has_segment(&id));
}

#[test]
fn a_kill_from_outside_leaves_no_segment() {
    let daemon = start(builder());
    let id = segment(&daemon);
    kill(Pid::from_raw(daemon.pid().unwrap() as i32), Signal::SIGKILL).unwrap();
    eventually_false("there", || has_segment(&id));
}

#[test]
fn a_server_that_restarts_itself_leaves_no_segment() {
    let daemon = start(builder());
    let before = segment(&daemon);
    let checkpointer: i32 = value(
        &daemon,
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    )
    .parse()
    .unwrap();
    kill(Pid::from_raw(checkpointer), Signal::SIGKILL).unwrap();
    // The server closes all connections, makes new shared memory, and goes on.
    eventually("back", || match daemon.query("SELECT 1") {
        Ok(_) if segment(&daemon) != before => Ok(()),
        other => Err(other.map(|_| segment(&daemon))),
    });
    let after = segment(&daemon);
    drop(daemon);
    assert!(!has_segment(&before) && !has_segment(&after));
}

/// The ID of the server's segment, from its lock file.
fn segment(daemon: &PostgresDaemon) -> String {
    let lock = std::fs::read_to_string(daemon.working_dir().join("data/postmaster.pid")).unwrap_or_default();
    let line = lock.lines().nth(6).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn has_segment(id: &str) -> bool {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    table.lines().any(|line| line.split_whitespace().nth(1) == Some(id))
}

//! Shared memory outlives its process, but not the daemon.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use managed_daemons::PostgresDaemon;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{builder, start};
use crate::support::{eventually, eventually_empty, eventually_false};

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
    let mut checkpointer = 0;
    // The server answers before all of its processes have entered themselves there.
    eventually("has a checkpointer", || {
        let rows = daemon
            .query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
            .unwrap();
        let pid = rows.iter().flatten().flatten().next().ok_or(())?;
        checkpointer = pid.parse().unwrap();
        Ok::<(), ()>(())
    });
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

/// `initdb` runs a server that has both kinds of shared memory.
#[test]
fn an_initdb_that_is_killed_leaves_no_shared_memory() {
    let has_segments_of = |owner: &str| {
        let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
        table.lines().skip(1).any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let maker_lives = std::path::Path::new("/proc").join(fields[4]).exists();
            fields[6] == "0" && fields[7] == owner && !maker_lives
        })
    };
    let probe = start(builder());
    let owner = std::fs::metadata(probe.working_dir()).unwrap().uid().to_string();
    for millis in (100..=800).step_by(100) {
        // Nobody else has this template.
        let name = format!("user-{}-{millis}", std::process::id());
        let builder = builder().username(name).start_timeout(Duration::from_millis(millis));
        drop(builder.start());
    }
    eventually_empty("rid of objects that nobody uses", abandoned_objects);
    eventually_false("there", || has_segments_of(&owner));
}

/// Objects of PostgreSQL that no process uses.
fn abandoned_objects() -> Vec<PathBuf> {
    let objects = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let objects = objects.map(|entry| entry.path());
    let mut objects: Vec<PathBuf> =
        (objects.filter(|path| path.to_string_lossy().starts_with("/dev/shm/PostgreSQL."))).collect();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let maps = std::fs::read_to_string(process.path().join("maps")).unwrap_or_default();
        objects.retain(|object| !maps.contains(&*object.to_string_lossy()));
    }
    objects
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

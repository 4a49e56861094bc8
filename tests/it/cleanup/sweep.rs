//! Each reaper sweeps the root for temporary files: it removes what dead test processes left there.

use std::os::unix::fs::{chown, symlink, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use managed_daemons::RedisDaemon;
use managed_daemons_tests::processes_of;
use nix::sys::stat::Mode;

use crate::support::{
    assert_no_process_left, eventually_empty, eventually_false, is_root, private_root, victim_command, Victim,
};

/// Runs a process that starts and drops a daemon below `root`, so that its reaper sweeps there.
pub(super) fn start_and_drop_one_in(root: &Path) {
    let output = victim_command("redis once", root).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_sweep_spares_running_and_detached_daemons_and_strangers_directories() {
    let root = private_root();
    let running = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let detached = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let detached_pid = detached.pid();
    let detached = detached.detach().unwrap();
    let strange = root.path().join("managed-daemons-notes");
    std::fs::create_dir(&strange).unwrap();
    let mut victim = Victim::start("redis hold");
    victim.wait_for("holding");
    let pids = || processes_of(victim.root()).into_iter().map(|(pid, _)| pid);
    let held: Vec<i32> = pids().collect();
    for _ in 0..3 {
        start_and_drop_one_in(root.path());
    }
    // A reaper ends after its sweep.
    eventually_empty("swept", || {
        let mut processes = processes_of(root.path());
        processes.retain(|(_, how)| how.contains("reaper"));
        processes
    });
    assert!(running.is_running() && strange.exists());
    // These are in another root.
    assert_eq!(pids().collect::<Vec<_>>(), held);
    let detached = RedisDaemon::load(&detached).unwrap();
    assert_eq!(detached.pid(), detached_pid);
    detached.destroy().unwrap();
    victim.kill();
    victim.assert_nothing_left();
}

/// Any user can write to the root for temporary files.
#[test]
fn a_trap_in_the_root_neither_blocks_nor_misleads_the_sweep() {
    let root = private_root();
    let ours = root.path().join("managed-daemons-00000000-redis-abcdef");
    let open_to_others = root.path().join("managed-daemons-00000001-redis-abcdef");
    for (dir, mode) in [(&ours, 0o700), (&open_to_others, 0o755)] {
        std::fs::create_dir(dir).unwrap();
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
        // Opening a FIFO for reading waits for a writer.
        nix::unistd::mkfifo(&dir.join("detached"), Mode::S_IRWXU).unwrap();
    }
    // Reading `/dev/zero` never ends.
    symlink("/dev/zero", ours.join("note")).unwrap();
    start_and_drop_one_in(root.path());
    assert_no_process_left(root.path());
    assert!(!ours.exists() && open_to_others.exists());
}

/// A note makes the sweep kill what runs in the directory that it names.
#[test]
fn root_obeys_no_note_of_the_daemons_user() {
    if !is_root() {
        return;
    }
    let root = private_root();
    let roots_own = tempfile::tempdir().unwrap();
    let mut stranger = Command::new("sleep")
        .arg("1000")
        .current_dir(roots_own.path())
        .spawn()
        .unwrap();
    let theirs = root.path().join("managed-daemons-00000000-elsewhere-abcdef");
    let ours = root.path().join("managed-daemons-00000001-elsewhere-abcdef");
    let text = format!("15 100\n{}", roots_own.path().display());
    for (dir, of_dir, of_note) in [(&theirs, 65534, 65534), (&ours, 0, 65534)] {
        std::fs::create_dir(dir).unwrap();
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(dir.join("note"), &text).unwrap();
        chown(dir.join("note"), Some(of_note), Some(of_note)).unwrap();
        chown(dir, Some(of_dir), Some(of_dir)).unwrap();
    }
    start_and_drop_one_in(root.path());
    eventually_false("there", || theirs.exists() || ours.exists());
    assert!(stranger.try_wait().unwrap().is_none(), "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_daemon_can_be_detached_and_loaded_while_others_sweep() {
    let root = private_root();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    start_and_drop_one_in(root.path());
                }
            });
        }
        let first = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
        let pid = first.pid();
        let last = (0..2000).try_fold(first, |redis, _| RedisDaemon::load(redis.detach()?));
        done.store(true, Ordering::Relaxed);
        assert_eq!(last.unwrap().pid(), pid);
    });
}

//! A test process that dies leaves no process, file or socket.

use std::time::{Duration, UNIX_EPOCH};

use managed_daemons::RedisDaemon;
use managed_daemons_tests::processes_of;
use nix::sys::signal::{kill, killpg, Signal};
use nix::unistd::Pid;

use crate::support::{assert_kills_leave_nothing, eventually_empty, get, is_full_run, Victim};

/// How often a real test process is killed, at moments spread over its life.
const KILLS: u32 = 200;
/// How often one leaves by itself; ten times as often in the long form.
const LEAVINGS: u64 = 60;
/// The seed of the first leaving; the next has the next one. By default, it follows from the time.
const SEED_VARIABLE: &str = "MANAGED_DAEMONS_TEST_SEED";

#[test]
fn abort_leaves_nothing() {
    let mut victim = Victim::start("redis abort");
    victim.wait();
    victim.assert_nothing_left();
}

#[test]
fn abort_leaves_nothing_though_a_forked_child_holds_every_descriptor() {
    let mut victim = Victim::start("redis fork");
    victim.wait();
    eventually_empty("clean", || {
        std::fs::read_dir(victim.root()).unwrap().flatten().collect()
    });
    // The reaper did not wait for the child, which is still alive.
    let children = || {
        processes_of(victim.root())
            .into_iter()
            .filter(|(_, how)| how.contains(" fork "))
    };
    assert_eq!(children().count(), 1, "{:?}", processes_of(victim.root()));
    children().for_each(|(pid, _)| kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap());
    victim.assert_nothing_left();
}

#[test]
fn sigkill_leaves_only_the_data_in_a_users_directory() {
    let mut victim = Victim::start("redis hold");
    victim.wait_for("holding");
    let processes = processes_of(victim.root());
    assert!(processes.len() >= 5, "{processes:?}");
    victim.kill();
    victim.assert_nothing_left();
    let kept = RedisDaemon::load(victim.user_dir()).unwrap();
    kept.start_if_not_running().unwrap();
    assert_eq!(get(&kept, "kept").unwrap().as_deref(), Some("yes"));
}

#[test]
fn a_signal_to_the_whole_process_group_leaves_nothing() {
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGKILL,
    ] {
        let mut victim = Victim::start("redis hold");
        victim.wait_for("holding");
        killpg(victim.pid(), signal).unwrap();
        victim.wait();
        victim.assert_nothing_left();
    }
}

#[test]
fn sigkill_at_any_moment_leaves_nothing() {
    // From before the first daemon to well into the loops: a start takes about 10 ms.
    let moments = (0..KILLS).map(|kill| Duration::from_micros(u64::from(kill) * 400));
    assert_kills_leave_nothing("redis churn", None, moments);
}

#[test]
fn leaving_while_other_threads_start_daemons_leaves_nothing() {
    let since_epoch = UNIX_EPOCH.elapsed().unwrap().as_secs();
    let first = std::env::var(SEED_VARIABLE).map_or(since_epoch, |seed| seed.parse().unwrap());
    let leavings = if is_full_run() { 10 * LEAVINGS } else { LEAVINGS };
    for seed in first..first + leavings {
        let result = std::panic::catch_unwind(|| {
            let mut victim = Victim::start(&format!("redis leave {seed}"));
            victim.wait();
            victim.assert_nothing_left();
        });
        assert!(result.is_ok(), "replay it with {SEED_VARIABLE}={seed}");
    }
}

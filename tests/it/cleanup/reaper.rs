//! The reaper cleans up after a test process, and may be killed itself.

use managed_daemons::RedisDaemon;
use managed_daemons_tests::{leftovers, processes_of};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::sweep::start_and_drop_one_in;
use crate::support::{eventually, get, Victim};

/// Waits for a reaper other than the one that was killed.
fn next_reaper(victim: &Victim, killed: Option<Pid>) -> Pid {
    let mut reaper = None;
    eventually("had a new reaper", || {
        reaper = victim.reaper().filter(|pid| Some(*pid) != killed);
        reaper.ok_or("none").map(drop)
    });
    reaper.unwrap()
}

#[test]
fn a_killed_reaper_is_replaced_at_the_next_start() {
    let mut victim = Victim::start("redis churn");
    let mut killed = None;
    for _ in 0..5 {
        let reaper = next_reaper(&victim, killed);
        kill(reaper, Signal::SIGKILL).unwrap();
        killed = Some(reaper);
    }
    next_reaper(&victim, killed);
    victim.kill();
    victim.assert_nothing_left();
}

#[test]
fn the_next_start_cleans_up_when_the_reaper_was_killed_too() {
    let mut victim = Victim::start("redis hold");
    victim.wait_for("holding");
    kill(victim.reaper().unwrap(), Signal::SIGKILL).unwrap();
    victim.kill();
    assert!(!leftovers(victim.root()).is_empty());
    assert!(!processes_of(&victim.user_dir()).is_empty());
    start_and_drop_one_in(victim.root());
    victim.assert_nothing_left();
    // The sweep stops a daemon in a user's directory instead of killing it, so it saves its data.
    let kept = RedisDaemon::load(victim.user_dir()).unwrap();
    kept.start_if_not_running().unwrap();
    assert_eq!(get(&kept, "kept").unwrap().as_deref(), Some("yes"));
}

//! A test process that is killed in the middle of a fault leaves nothing.

use std::time::Duration;

use managed_daemons_tests::{leftovers, mounts};
use nix::sys::signal::{kill, Signal};

use crate::support::{assert_kills_leave_nothing, is_root, victim_command, Victim};

/// How often a process is killed, at moments spread over its life.
const KILLS: u64 = 40;

#[test]
fn sigkill_in_the_middle_of_each_leaves_nothing() {
    for what in ["proxy", "guards", "disk"] {
        let action = format!("faults {what}");
        let moments = (0..KILLS).map(|kill| Duration::from_millis(3 * kill));
        assert_kills_leave_nothing(&format!("{action} churn"), None, moments);
    }
}

#[test]
fn sigkill_while_each_is_held_leaves_nothing() {
    let mut victim = Victim::start("faults hold");
    victim.wait_for("holding");
    assert_eq!(mounts(victim.root()).len(), usize::from(is_root()));
    victim.kill();
    victim.assert_nothing_left();
}

#[test]
fn the_next_start_cleans_up_when_the_reaper_was_killed_too() {
    let mut victim = Victim::start("faults hold");
    victim.wait_for("holding");
    kill(victim.reaper().unwrap(), Signal::SIGKILL).unwrap();
    victim.kill();
    assert!(!leftovers(victim.root()).is_empty());
    let output = victim_command("redis once", victim.root()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    victim.assert_nothing_left();
}

#[test]
fn leaving_by_exit_while_each_is_held_leaves_nothing() {
    let mut victim = Victim::start("faults exit");
    victim.wait();
    assert_eq!(leftovers(victim.root()), Vec::<String>::new());
}

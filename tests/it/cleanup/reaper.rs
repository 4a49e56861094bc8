//! The reaper cleans up after a test process, and may be killed itself.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use managed_daemons::RedisDaemon;
use managed_daemons_tests::{leftovers, processes_of};
use nix::errno::Errno;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::sweep::start_and_drop_one_in;
use crate::support::{eventually, get, program, Victim, PATIENCE};

/// Waits for a reaper other than the one that was killed, and sends it a signal, or none.
fn signal_next_reaper(victim: &Victim, killed: Option<Pid>, signal: Option<Signal>) -> Pid {
    let mut reaper = None;
    eventually("had a new reaper", || {
        let found = victim.reaper().filter(|pid| Some(*pid) != killed).ok_or(Errno::ESRCH)?;
        reaper = Some(found);
        // It may be the process that has just become the reaper's parent, and ends.
        kill(found, signal)
    });
    reaper.unwrap()
}

#[test]
fn a_killed_reaper_is_replaced_at_the_next_start() {
    let mut victim = Victim::start("redis churn");
    let mut killed = None;
    for _ in 0..5 {
        killed = Some(signal_next_reaper(&victim, killed, Some(Signal::SIGKILL)));
    }
    signal_next_reaper(&victim, killed, None);
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

#[test]
fn a_reaper_serves_though_its_parent_is_another_process() {
    // While a test process with several threads is being killed, its children have another parent
    // already, and it still counts as alive.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let started = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
    let forked = Command::new("setsid")
        .arg("--fork")
        .arg(program!("victim"))
        .env("MANAGED_DAEMONS_REAPER", format!("{}:{started}", std::process::id()))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(forked.success());
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = [0; 64];
    let count = (&ours).read(&mut said).unwrap();
    // Version 1 of the protocol; kind 0, which is its "hello"; one byte more, the end of no path.
    assert_eq!(said[..count], [1, 0, 1, 0, 0, 0, 0]);
}

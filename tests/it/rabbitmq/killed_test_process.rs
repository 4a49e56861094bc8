//! A test process that is killed leaves nothing, whatever its broker was doing.

use std::fs;
use std::time::Duration;

use managed_daemons_tests::processes_of;

use super::cold_cache::cold_cache_in;
use crate::support::{assert_kills_leave_nothing, eventually, private_root, Victim};

/// How often a victim is killed while it starts and restarts brokers.
const KILLS: u32 = 52;
/// How often a victim is killed while the installation is prepared, which happens once per cache.
const KILLS_OF_PREPARATION: u32 = 8;
/// How long a start and a restart take on an idle machine, in milliseconds.
const LIFE_MS: u32 = 1700;

/// Kills a victim, and returns whether it had a broker by then.
fn had_broker_when_killed(moment: Duration) -> bool {
    let mut victim = Victim::start("rabbitmq churn");
    std::thread::sleep(moment);
    let had = processes_of(victim.root()).iter().any(|(pid, _)| is_broker(*pid));
    victim.kill();
    victim.assert_nothing_left();
    had
}

/// Whether a process boots a broker, as opposed to preparing one.
fn is_broker(pid: i32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let holds = |words: &[u8]| line.windows(words.len()).any(|window| window == words);
    holds(b"/beam.smp\0") && holds(b"\0managed_daemons\0boot\0")
}

#[test]
fn sigkill_at_any_moment_leaves_nothing() {
    let moments = (0..KILLS).map(|kill| Duration::from_millis(u64::from(kill * 97 % LIFE_MS + 20)));
    let met = moments.filter(|moment| had_broker_when_killed(*moment)).count();
    assert!(met > KILLS as usize / 2, "only {met} of {KILLS} kills met a broker");
}

#[test]
fn sigkill_during_preparation_leaves_nothing() {
    let dir = private_root();
    let cache = cold_cache_in(dir.path());
    let moments = (0..KILLS_OF_PREPARATION).map(|kill| Duration::from_millis(u64::from(kill * 450 + 50)));
    assert_kills_leave_nothing("rabbitmq churn", Some(&cache), moments);
    eventually("rid of unfinished templates", || {
        let entries = fs::read_dir(cache.join("templates")).into_iter().flatten();
        let dirs: Vec<_> = entries.flatten().filter(|entry| entry.path().is_dir()).collect();
        // One unfinished template may be there: the next one to be made replaces it.
        if dirs.len() <= 2 {
            Ok(())
        } else {
            Err(dirs)
        }
    });
}

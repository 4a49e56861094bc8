//! A test process that is killed leaves nothing, whatever its broker was doing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use managed_daemons_tests::processes_of;

use super::cold_cache::cold_cache_in;
use crate::support::{eventually, eventually_false, is_plain_run, private_root, Victim};

/// How often a victim is killed while it starts and restarts brokers.
const KILLS: u32 = 52;
/// How often a victim is killed while the installation is prepared, which happens once per cache.
const KILLS_OF_PREPARATION: u32 = 8;
/// How long a start and a restart take on an idle machine, in milliseconds.
const LIFE_MS: u32 = 1700;

/// Kills a victim, at the earliest after this time, and returns whether it had a broker by then.
fn had_broker_when_killed(moment: Duration, waits_for_broker: bool) -> bool {
    let mut victim = Victim::start("rabbitmq churn");
    std::thread::sleep(moment);
    let has_broker = || processes_of(victim.root()).iter().any(|(pid, _)| is_broker(*pid));
    if waits_for_broker {
        eventually_false("without a broker", || !has_broker());
    }
    let had = waits_for_broker || has_broker();
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

/// Kills a victim this long after it has begun to prepare the installation, and returns whether it
/// still did so by then.
fn prepared_when_killed(cache: &Path, moment: Duration) -> bool {
    let mut victim = Victim::start_with_cache("rabbitmq churn", cache);
    let runs = |is: fn(i32) -> bool| processes_of(victim.root()).iter().any(|(pid, _)| is(*pid));
    // Another kill may have come after the end of the preparation.
    eventually_false("idle", || !runs(is_preparation) && !runs(is_broker));
    std::thread::sleep(moment);
    let prepared = runs(is_preparation);
    victim.kill();
    victim.assert_nothing_left();
    prepared
}

/// Whether a process prepares the installation, or boots the broker that is recorded for that.
fn is_preparation(pid: i32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let holds = |words: &[u8]| line.windows(words.len()).any(|window| window == words);
    holds(b"/beam.smp\0") && (holds(b"managed_daemons_prepare") || holds(b"\0managed_daemons\0record\0"))
}

#[test]
fn sigkill_at_any_moment_leaves_nothing() {
    let moment = |kill| Duration::from_millis(u64::from(kill * 97 % LIFE_MS + 20));
    // On a busy machine a broker comes late. Two of three kills wait for it.
    let met = (0..KILLS).filter(|kill| had_broker_when_killed(moment(*kill), kill % 3 != 0));
    let met = met.count();
    assert!(met > KILLS as usize / 2, "only {met} of {KILLS} kills met a broker");
}

#[test]
fn sigkill_during_preparation_leaves_nothing() {
    let dir = private_root();
    let cache = cold_cache_in(dir.path());
    // Without fast paths it takes a part of the time.
    let step_ms = if is_plain_run() { 50 } else { 250 };
    let kills = 0..KILLS_OF_PREPARATION;
    let met = kills.filter(|kill| prepared_when_killed(&cache, Duration::from_millis(u64::from(kill * step_ms))));
    assert_ne!(met.count(), 0, "no kill met a preparation");
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

//! A process that is killed leaves nothing, whatever its broker was about.

use std::fs;
use std::path::Path;
use std::time::Duration;

use managed_daemons_tests::processes_of;

use super::victim::{cold_cache_in, victim};
use crate::support::{assert_nothing_left, eventually, private_root};

/// With what is prepared once for an installation there already, as mostly.
const KILLS: u32 = 52;
/// While that is made.
const KILLS_OF_THE_FIRST: u32 = 8;
/// Starting one and starting it again takes as long as this where nothing else is to be done.
const LIFE: u32 = 1700;

/// Kills a process that starts and restarts brokers, this many milliseconds after its own start, and says whether it had one.
fn had_a_broker(after: u32, cache: Option<&Path>) -> bool {
    let root = private_root();
    let mut child = victim("churns", root.path(), cache).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(u64::from(after)));
    let had = processes_of(root.path()).iter().any(|(pid, _)| is_broker(*pid));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_nothing_left(root.path());
    had
}

/// Whether it is an Erlang that boots a broker, not one that prepares something.
fn is_broker(pid: i32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let holds = |words: &[u8]| line.windows(words.len()).any(|window| window == words);
    holds(b"/beam.smp\0") && holds(b"\0managed_daemons\0boot\0")
}

#[test]
fn after_sigkill_at_any_moment() {
    let moments = (0..KILLS).map(|number| number * 97 % LIFE + 20);
    let met = moments.filter(|moment| had_a_broker(*moment, None)).count();
    assert!(met > KILLS as usize / 2, "only {met} of {KILLS} kills met a broker");
}

#[test]
fn after_sigkill_while_the_first_is_prepared() {
    let dir = private_root();
    let cache = cold_cache_in(dir.path());
    for number in 0..KILLS_OF_THE_FIRST {
        had_a_broker(number * 450 + 50, Some(&cache));
    }
    eventually("a cache without halves", || {
        let left: Vec<_> = fs::read_dir(cache.join("templates"))
            .into_iter()
            .flatten()
            .flatten()
            .collect();
        // One half is what the next maker replaces.
        if left.iter().filter(|entry| entry.path().is_dir()).count() <= 2 {
            Ok(())
        } else {
            Err(left)
        }
    });
}

//! Starts one Redis after another in one process: nothing may grow.

use std::path::Path;
use std::time::Instant;

use managed_daemons::{RedisDaemon, Result};

use crate::look::{self, Resources};
use crate::numbers::{median, ms};

/// By how many KiB the resident memory of this process, and of its reaper, may grow from the end of
/// the first block to the end of the last. The allocator needs some time to settle.
const MEMORY_ALLOWANCE: u64 = 512;

/// The state at the end of a block.
#[derive(Debug, Clone, Copy)]
struct Snapshot {
    own: Resources,
    reaper: Resources,
    directories: usize,
}

/// Starts and removes `cycles` Redis daemons, prints a line per tenth of them, and returns what
/// has grown.
pub(crate) fn run(cycles: usize, root: &Path) -> Result<Vec<String>> {
    let block = cycles.div_ceil(10).max(1);
    println!("\n{cycles} cycles of Redis in one process");
    println!(
        "{:>9} {:>14} | {:>4} {:>7} {:>7} {:>9} | {:>10} {:>7} {:>9} | {:>11}",
        "cycles", "ms, median", "fds", "threads", "zombies", "own KiB", "reaper fds", "threads", "KiB", "directories"
    );
    let mut first = None;
    let mut last = None;
    let mut done = 0;
    while done < cycles {
        let mut times = Vec::with_capacity(block);
        for _ in 0..block.min(cycles - done) {
            let begin = Instant::now();
            RedisDaemon::builder().temp_root(root).start()?.close()?;
            times.push(begin.elapsed());
        }
        done += times.len();
        let snapshot = take_snapshot(root);
        println!(
            "{done:>9} {:>14.2} | {:>4} {:>7} {:>7} {:>9} | {:>10} {:>7} {:>9} | {:>11}",
            ms(median(times)),
            snapshot.own.descriptors,
            snapshot.own.threads,
            snapshot.own.zombies,
            snapshot.own.resident,
            snapshot.reaper.descriptors,
            snapshot.reaper.threads,
            snapshot.reaper.resident,
            snapshot.directories
        );
        first.get_or_insert(snapshot);
        last = Some(snapshot);
    }
    Ok(first
        .zip(last)
        .map(|(first, last)| grown(first, last))
        .unwrap_or_default())
}

fn take_snapshot(root: &Path) -> Snapshot {
    Snapshot {
        own: Resources::of(std::process::id()),
        reaper: settled_reaper(),
        directories: std::fs::read_dir(root).map_or(0, Iterator::count),
    }
}

/// The reaper reads the last messages a moment after they were sent, so this looks several times
/// and takes the lowest number of descriptors.
fn settled_reaper() -> Resources {
    let Some(pid) = look::reaper() else {
        return Resources::default();
    };
    let looks = (0..10).map(|_| Resources::of(pid));
    looks.min_by_key(|resources| resources.descriptors).unwrap_or_default()
}

fn grown(first: Snapshot, last: Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    let mut exactly = |what: &str, before: usize, after: usize| {
        if after > before {
            found.push(format!("{what}: {before} after the first block, {after} at the end"));
        }
    };
    exactly("file descriptors", first.own.descriptors, last.own.descriptors);
    exactly("threads", first.own.threads, last.own.threads);
    exactly("children not waited for", 0, last.own.zombies);
    exactly("directories", 0, last.directories);
    exactly(
        "the reaper's file descriptors",
        first.reaper.descriptors,
        last.reaper.descriptors,
    );
    exactly("the reaper's threads", first.reaper.threads, last.reaper.threads);
    for (what, before, after) in [
        ("memory", first.own.resident, last.own.resident),
        ("the reaper's memory", first.reaper.resident, last.reaper.resident),
    ] {
        if after > before + MEMORY_ALLOWANCE {
            found.push(format!(
                "{what}: {before} KiB after the first block, {after} KiB at the end; {MEMORY_ALLOWANCE} KiB more are allowed"
            ));
        }
    }
    found
}

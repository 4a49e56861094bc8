//! Many daemons alive at once: how long each further one takes to start, and how much memory and
//! disk each one uses.

use std::path::Path;
use std::time::{Duration, Instant};

use managed_daemons::{Daemon, ManagedDaemon, Result};
use managed_daemons_tests::leftovers;

use crate::look::{self, Memory, Resources};
use crate::numbers::{median, ms};

/// A row shows the median of this many starts around it.
const WINDOW: usize = 5;

/// One instance, as measured just after its start.
struct Started {
    took: Duration,
    memory: Memory,
    disk: u64,
    own: Resources,
    reaper: Resources,
}

/// Starts `count` daemons one after another and keeps them, prints how the figures develop, and
/// removes them.
pub(crate) fn run<D: Daemon>(count: usize, root: &Path) -> Result<()> {
    // The first daemon of a process pays for what all share: finding the binary, making the
    // template, and starting the reaper.
    ManagedDaemon::<D>::builder().temp_root(root).start()?.close()?;
    let mut alive = Vec::with_capacity(count);
    let mut started = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        let daemon = ManagedDaemon::<D>::builder().temp_root(root).start()?;
        let took = begin.elapsed();
        started.push(Started {
            took,
            memory: daemon.pid().map(look::memory_of_tree).unwrap_or_default(),
            disk: look::disk(daemon.working_dir()),
            own: Resources::of(std::process::id()),
            reaper: look::reaper().map(Resources::of).unwrap_or_default(),
        });
        alive.push(daemon);
    }
    println!("\n{} × {count}, started one after another and kept", D::NAME);
    println!(
        "{:>9} {:>9} {:>14} {:>9} {:>9} | {:>9} {:>4} {:>11} {:>4}",
        "instance", "start ms", "priv.dirty MB", "Pss MB", "disk MB", "own MB", "fds", "reaper MB", "fds"
    );
    for percent in [0, 10, 25, 50, 100] {
        print_row((count * percent / 100).max(1), &started);
    }
    let first_pid = alive.first().and_then(ManagedDaemon::pid);
    let first = first_pid.map(look::memory_of_tree).unwrap_or_default();
    println!(
        "the first instance while all are alive: {:.2} MB private dirty, {:.2} MB Pss",
        mb(first.private_dirty),
        mb(first.pss)
    );
    remove(alive, root)
}

fn print_row(instance: usize, started: &[Started]) {
    // Row 1 is a single start. Every other row is the median of the starts around it.
    let around = if instance == 1 { 1 } else { WINDOW.min(started.len()) };
    let first = (instance - 1).saturating_sub(around / 2).min(started.len() - around);
    let window = &started[first..first + around];
    let of = |field: fn(&Started) -> u64| mb(median(window.iter().map(field)));
    let at = &started[instance - 1];
    println!(
        "{instance:>9} {:>9.1} {:>14.2} {:>9.2} {:>9.2} | {:>9.1} {:>4} {:>11.1} {:>4}",
        ms(median(window.iter().map(|one| one.took))),
        of(|one| one.memory.private_dirty),
        of(|one| one.memory.pss),
        of(|one| one.disk),
        mb(at.own.resident),
        at.own.descriptors,
        mb(at.reaper.resident),
        at.reaper.descriptors,
    );
}

fn remove<D: Daemon>(alive: Vec<ManagedDaemon<D>>, root: &Path) -> Result<()> {
    let count = alive.len();
    let begin = Instant::now();
    let mut times = Vec::with_capacity(count);
    for daemon in alive {
        let one = Instant::now();
        daemon.close()?;
        times.push(one.elapsed());
    }
    let all = begin.elapsed();
    let tenth = count.div_ceil(10);
    println!(
        "removal: all {:.0} ms; each, median of the first tenth {:.1} ms, of the last {:.1} ms; left behind: {}",
        ms(all),
        ms(median(times[..tenth].iter().copied())),
        ms(median(times[count - tenth..].iter().copied())),
        leftovers(root).len()
    );
    Ok(())
}

fn mb(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

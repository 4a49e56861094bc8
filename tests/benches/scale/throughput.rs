//! Several starts at once: the time per start and removal, with the framework and without it.

use std::path::Path;
use std::time::{Duration, Instant};

use managed_daemons::{Daemon, ManagedDaemon, Result};

use crate::floor::{BareLoop, Question};
use crate::numbers::{median, ms};

/// How many threads start daemons at once.
const WORKERS: [usize; 3] = [1, 2, 4];
/// Ours and the floor take turns, so that other load on the machine affects both.
const ROUNDS: usize = 3;

/// Starts and removes `starts` daemons per worker, with the framework and without it, and prints
/// the time per daemon.
pub(crate) fn run<D: Daemon>(starts: usize, root: &Path, store: &Path, question: fn(&D) -> Question) -> Result<()> {
    println!(
        "\n{}: ms per start and removal, {starts} starts per worker and round, medians of {ROUNDS} rounds",
        D::NAME
    );
    println!("{:>8} {:>9} {:>9} {:>7}", "workers", "floor", "ours", "ratio");
    for workers in WORKERS {
        let (mut floors, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            floors.push(time_bare_loop::<D>(workers, starts, root, store, question)?);
            ours.push(time_framework::<D>(workers, starts, root));
        }
        let (floor, ours) = (median(floors), median(ours));
        println!(
            "{workers:>8} {:>9.2} {:>9.2} {:>7.2}",
            ms(floor),
            ms(ours),
            ours.as_secs_f64() / floor.as_secs_f64()
        );
    }
    Ok(())
}

/// The time per daemon since `begin`, if each worker started `starts` of them.
fn time_per_daemon(begin: Instant, workers: usize, starts: usize) -> Duration {
    begin.elapsed().div_f64((workers * starts) as f64)
}

fn time_framework<D: Daemon>(workers: usize, starts: usize, root: &Path) -> Duration {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                for _ in 0..starts {
                    let daemon = ManagedDaemon::<D>::builder().temp_root(root).start();
                    let closed = daemon.and_then(ManagedDaemon::close);
                    closed.unwrap_or_else(|error| panic!("{}", crate::chain(&error)));
                }
            });
        }
    });
    time_per_daemon(begin, workers, starts)
}

fn time_bare_loop<D: Daemon>(
    workers: usize,
    starts: usize,
    root: &Path,
    store: &Path,
    question: fn(&D) -> Question,
) -> Result<Duration> {
    let mut loops = (0..workers)
        .map(|_| BareLoop::<D>::prepare(starts, root, store, question))
        .collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for bare_loop in &mut loops {
            scope.spawn(|| {
                for _ in 0..starts {
                    let cycled = bare_loop.cycle();
                    cycled.unwrap_or_else(|error| panic!("{} without the framework: {error}", D::NAME));
                }
            });
        }
    });
    let took = time_per_daemon(begin, workers, starts);
    drop(loops);
    for entry in std::fs::read_dir(store).into_iter().flatten().flatten() {
        let _ = std::fs::remove_dir_all(entry.path());
    }
    Ok(took)
}

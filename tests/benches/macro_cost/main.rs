//! Measures what the attribute costs at compile time: it builds one file of tests with the
//! attribute, and one that does the same by hand.
//!
//! `cargo bench --bench macro_cost [-- [ROUNDS] [TESTS]]`, by default 7 rounds of 200 tests. Both
//! crates are made below `target/macro-cost` and share one build of their dependencies.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod generated;

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::generated::{Crate, Style};

/// The highest ratio of build times that meets the target: the attribute should cost next to
/// nothing.
const TARGET: f64 = 1.1;

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let rounds = numbers.next().unwrap_or(7).max(1);
    let tests = numbers.next().unwrap_or(200).max(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let place = target_directory(&root).join("macro-cost");
    let hand = Crate::make(&root, &place, Style::Hand, tests)?;
    let attribute = Crate::make(&root, &place, Style::Attribute, tests)?;

    println!("{tests} tests in one file, `cargo build --tests`, medians of {rounds} rounds, in seconds of processor time | wall-clock time");
    println!(
        "{:>20} {:>9} {:>9} {:>7} | {:>9} {:>9}",
        "", "by hand", "attribute", "ratio", "by hand", "attribute"
    );
    for (what, incremental) in [("from scratch", "0"), ("incremental", "1")] {
        // Builds the dependencies, and the state that incremental rounds start from.
        build(&hand, &place, incremental)?;
        build(&attribute, &place, incremental)?;
        let (mut by_hand, mut by_attribute) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            for (made, times) in [(&hand, &mut by_hand), (&attribute, &mut by_attribute)] {
                made.change(round)?;
                times.push(build(made, &place, incremental)?);
            }
        }
        let processor = |times: &[Took]| median(times.iter().map(|took| took.processor).collect());
        let clock = |times: &[Took]| median(times.iter().map(|took| took.clock).collect());
        // Processor time, because wall-clock time depends on what else the machine does.
        let ratio = processor(&by_attribute) / processor(&by_hand);
        let verdict = if ratio <= TARGET { "" } else { "  above the target" };
        println!(
            "{what:>20} {:>9.2} {:>9.2} {ratio:>7.2} | {:>9.2} {:>9.2}{verdict}",
            processor(&by_hand),
            processor(&by_attribute),
            clock(&by_hand),
            clock(&by_attribute)
        );
    }
    Ok(())
}

/// How many seconds a build took.
struct Took {
    processor: f64,
    clock: f64,
}

/// Builds a crate's tests.
fn build(made: &Crate, place: &Path, incremental: &str) -> Result<Took, Box<dyn Error>> {
    let before = processor_time()?;
    let begin = Instant::now();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--tests", "--quiet"])
        .current_dir(&made.directory)
        .env("CARGO_TARGET_DIR", place.join("target"))
        .env("CARGO_INCREMENTAL", incremental)
        .stdin(Stdio::null())
        .status()?;
    let took = Took {
        processor: processor_time()? - before,
        clock: begin.elapsed().as_secs_f64(),
    };
    match status.success() {
        true => Ok(took),
        false => Err(format!("{} does not build", made.directory.display()).into()),
    }
}

/// The processor time of all children that were waited for, in seconds.
fn processor_time() -> Result<f64, Box<dyn Error>> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn target_directory(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

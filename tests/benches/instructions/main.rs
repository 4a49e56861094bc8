//! Counts the instructions that the framework itself needs to start and remove one Redis, and
//! compares them with recorded figures.
//!
//! `cargo bench --bench instructions [-- --accept]`. Callgrind counts this process alone: not
//! the daemon, not the reaper, and not the repeated probes until the daemon answers. Exits with
//! status 1 if a part exceeds its recorded figure by more than the allowance; `--accept` records
//! the new figures.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod callgrind;
mod figures;
mod work;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use crate::figures::{Conditions, Figures};

/// The argument that makes this program do the work to count. After it come the number of starts,
/// their directory, and optionally `probe`.
const WORK: &str = "--work";
/// Starts per count.
const STARTS: u64 = 25;
/// Counts of each part; the median is taken.
const COUNTS: usize = 3;
/// By how much a count may exceed the recorded one, in percent, if the file does not say.
const ALLOWANCE: u64 = 5;
/// The parts, and the functions of `work` that stand for them.
const PARTS: [(&str, &str); 4] = [
    ("configure", "count_configure"),
    ("start without waiting", "count_start"),
    ("one probe", "count_probe"),
    ("removal, once it has ended", "count_removal"),
];

/// Not counted: it reads the machine's table of shared memory, whose length depends on other
/// programs.
const DEPENDS_ON_OTHERS: &str = "sysv_shm::remove_left_by";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == WORK => work::run(rest),
        _ => bench(arguments.iter().any(|argument| argument == "--accept")),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(accept: bool) -> Result<ExitCode, Box<dyn Error>> {
    if !callgrind::is_installed() {
        println!("skipped: the count needs valgrind, which is not installed");
        return Ok(ExitCode::SUCCESS);
    }
    let scratch = tempfile::Builder::new()
        .prefix("md-test-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()?;
    let origin = callgrind::run_plain(&work_arguments(1, scratch.path(), false))?;
    let conditions = Conditions::here(&origin);
    let mut instructions = BTreeMap::new();
    for (part, function) in PARTS {
        instructions.insert(part.to_owned(), count(function, scratch.path())?);
    }
    let recorded = Figures::read();
    if accept {
        print(&instructions, recorded.as_ref().ok());
        let allowance = recorded.map_or(ALLOWANCE, |recorded| recorded.allowance);
        let new = Figures {
            conditions,
            allowance,
            instructions,
        };
        new.write()?;
        println!("recorded in {}", Figures::path().display());
        return Ok(ExitCode::SUCCESS);
    }
    let recorded = recorded.map_err(|error| format!("{}: {error}", Figures::path().display()))?;
    print(&instructions, Some(&recorded));
    Ok(judge(&conditions, &instructions, &recorded))
}

/// The median of several counts, per start.
fn count(function: &str, scratch: &Path) -> Result<u64, Box<dyn Error>> {
    let arguments = work_arguments(STARTS, scratch, function == "count_probe");
    let except = (function == "count_removal").then_some(DEPENDS_ON_OTHERS);
    let mut counts = Vec::with_capacity(COUNTS);
    for _ in 0..COUNTS {
        counts.push(callgrind::count(function, except, &arguments, scratch)? / STARTS);
    }
    counts.sort_unstable();
    Ok(counts[COUNTS / 2])
}

fn work_arguments(starts: u64, root: &Path, probes: bool) -> Vec<String> {
    let mut arguments = vec![WORK.to_owned(), starts.to_string(), root.display().to_string()];
    arguments.extend(probes.then(|| String::from("probe")));
    arguments
}

fn print(instructions: &BTreeMap<String, u64>, recorded: Option<&Figures>) {
    println!("instructions per Redis, in the test process alone; medians of {COUNTS} counts of {STARTS} starts");
    println!("{:>28} {:>9} {:>9} {:>8}", "", "now", "recorded", "change");
    for (part, _) in PARTS {
        let now = instructions.get(part).copied().unwrap_or_default();
        match recorded.and_then(|recorded| recorded.instructions.get(part)) {
            Some(before) => {
                let change = (now as f64 / *before as f64 - 1.0) * 100.0;
                println!("{part:>28} {now:>9} {before:>9} {change:>+7.1}%");
            }
            None => println!("{part:>28} {now:>9}"),
        }
    }
}

fn judge(conditions: &Conditions, instructions: &BTreeMap<String, u64>, recorded: &Figures) -> ExitCode {
    let differences = conditions.differences(&recorded.conditions);
    if !differences.is_empty() {
        println!(
            "not judged, because the conditions differ from the recorded ones:\n  {}",
            differences.join("\n  ")
        );
        return ExitCode::SUCCESS;
    }
    let above = |part: &str| {
        let before = recorded.instructions.get(part).copied().unwrap_or_default();
        let now = instructions.get(part).copied().unwrap_or_default();
        now * 100 > before * (100 + recorded.allowance)
    };
    let above: Vec<&str> = PARTS.iter().map(|(part, _)| *part).filter(|part| above(part)).collect();
    if above.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "More than {} % above the recorded figures: {}.\nIf this is intended, record the new figures with \
         `cargo bench --bench instructions -- --accept` and commit them with the reason. To see where the \
         instructions come from, profile a run with callgrind and callgrind_annotate.",
        recorded.allowance,
        above.join("; ")
    );
    ExitCode::FAILURE
}

//! Measures whole suites of tests: with a server for each test, with `#[sqlx::test]` on a server that
//! runs already, and with a server that the run shares.
//!
//! The suites are in a crate that is made below `target/suite`. `cargo nextest run` and `cargo test`
//! run them, in turn, in several rounds; compare the ratios of medians within one run. A `!` marks a
//! promise that is not kept, and then the exit code is not 0. Needs cargo-nextest, and the network
//! for crates that are not yet downloaded.
//!
//! ```text
//! cargo bench --bench suite
//! cargo bench --bench suite -- --only rabbitmq --rounds 5
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

mod acquire;
mod crate_of_suites;
#[path = "../shared/init.rs"]
mod init;
mod measured;
mod mysql;
mod postgres;
mod rabbitmq;
mod runner;
mod server;
mod suite;

use acquire::{Acquisitions, PROGRAM};
use crate_of_suites::CrateOfSuites;
use measured::Measured;
use runner::Runner;
use server::Servers;
use suite::Suite;

/// Anything that ends the benchmark.
type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: cargo bench --bench suite -- [options]
  --only NAME[,NAME…]  measure only these
  --rounds NUMBER      rounds of each suite (default: 3)
  --memory             keep the data of the servers for `#[sqlx::test]` in memory, where syncing
                       costs nothing, instead of on the disk";

#[derive(Debug)]
struct Options {
    only: Option<Vec<String>>,
    rounds: usize,
    memory: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            only: None,
            rounds: 3,
            memory: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} needs a value\n{USAGE}"))
            };
            match argument.as_str() {
                // Cargo itself passes this one.
                "--bench" => {}
                "--memory" => options.memory = true,
                "--only" => options.only = Some(value()?.split(',').map(String::from).collect()),
                "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
                _ => return Err(format!("unknown option {argument}\n{USAGE}").into()),
            }
        }
        let known: Vec<_> = SUITES.iter().map(|suite| suite.name).chain([PROGRAM]).collect();
        for name in options.only.iter().flatten() {
            if !known.contains(&name.as_str()) {
                return Err(format!("unknown name {name:?}; the known ones are {}", known.join(", ")).into());
            }
        }
        Ok(options)
    }

    fn include(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.iter().any(|wanted| wanted == name))
    }
}

const SUITES: [&Suite; 4] = [
    &postgres::MIGRATIONS,
    &postgres::INSERTS,
    &rabbitmq::SUITE,
    &mysql::MIGRATIONS,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // The first process of a container often reaps no orphans.
    init::under_init(&arguments, |arguments| {
        match Options::parse(arguments).and_then(|options| run(&options)) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    })
}

/// Measures and prints. Returns whether all promises are kept.
fn run(options: &Options) -> Result<bool, Failure> {
    let suites: Vec<&Suite> = SUITES.into_iter().filter(|suite| options.include(suite.name)).collect();
    let made = CrateOfSuites::make(&suites)?;
    let servers = Servers::start(&suites, (!options.memory).then(|| made.dir()))?;
    let mut results = Vec::new();
    for suite in suites {
        results.push((suite, measure(suite, options.rounds, &made, &servers)?));
    }
    drop(servers);
    let acquisitions = options
        .include(PROGRAM)
        .then(|| Acquisitions::measure(&made))
        .transpose()?;
    let mut kept = true;
    if !results.is_empty() {
        measured::print_head(options.rounds);
    }
    for (suite, measured) in &results {
        kept &= measured.print(suite);
    }
    if let Some(acquisitions) = &acquisitions {
        kept &= acquisitions.print();
    }
    Ok(kept)
}

fn measure(suite: &Suite, rounds: usize, made: &CrateOfSuites, servers: &Servers) -> Result<Measured, Failure> {
    let mut measured = Measured::default();
    let contestants: Vec<_> = suite.contestants().collect();
    // Makes the templates, and fills the caches.
    for contestant in &contestants {
        Runner::Nextest.run(made, contestant, servers)?;
    }
    for round in 0..rounds {
        eprintln!("{}: round {} of {rounds} …", suite.name, round + 1);
        for at in 0..contestants.len() {
            // None is always the one that finds the caches of the same other.
            let contestant = contestants[(round + at) % contestants.len()];
            for runner in Runner::ALL {
                // Otherwise earlier writes still go to the disk and slow down this run.
                nix::unistd::sync();
                let seconds = runner.run(made, contestant, servers)?;
                measured.add(runner, contestant.way, seconds);
            }
        }
    }
    Ok(measured)
}

//! Measures how much time the framework adds to each daemon, and how long other tools take.
//!
//! Each round measures, in turn: the binary alone, run to print its version; the floor, where a
//! bare loop starts the same binary with the same settings on a prepared directory; our own start;
//! and the peers that are installed. Compare the ratios of medians within one run, not times of
//! different runs. A `!` marks a ratio that misses its target.
//!
//! Before each round and each peer, `sync` waits until earlier writes have reached the disk: they
//! would slow down the next measurement. Our daemon also starts once in each round without being
//! measured, so that the template is in the page cache.
//!
//! ```text
//! cargo bench --bench compare
//! cargo bench --bench compare -- --only redis,postgres --rounds 31 --install-peers
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

mod client;
mod floor;
#[path = "../shared/init.rs"]
mod init;
mod measured;
mod peers;
mod plot;
#[path = "../shared/recorded.rs"]
mod recorded;
mod subject;
mod table;

use client::Failure;
use measured::{Measured, MeasuredPeer};
use peers::{our_whole_command, Peer, Running, PEERS};
use subject::Subject;

/// A peer that has run three times and has taken longer than this in total does not run again.
const PEER_BUDGET: Duration = Duration::from_secs(15);

const USAGE: &str = "usage: cargo bench --bench compare -- [options]
  --only NAME[,NAME…]  measure only these daemons
  --rounds NUMBER      rounds per daemon (default: 15)
  --no-peers           do not measure the peers
  --install-peers      install the Python packages below `target` first
  --plot FILE          write the chart here (default: docs/start-times.svg, if everything was measured)
  --raw FILE           write every single time here, as CSV";

#[derive(Debug)]
struct Options {
    only: Option<Vec<String>>,
    rounds: usize,
    peers: bool,
    install_peers: bool,
    plot: Option<PathBuf>,
    raw: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            only: None,
            rounds: 15,
            peers: true,
            install_peers: false,
            plot: None,
            raw: None,
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
                "--only" => options.only = Some(value()?.split(',').map(String::from).collect()),
                "--rounds" => options.rounds = value()?.parse()?,
                "--no-peers" => options.peers = false,
                "--install-peers" => options.install_peers = true,
                "--plot" => options.plot = Some(value()?.into()),
                "--raw" => options.raw = Some(value()?.into()),
                _ => return Err(format!("unknown option {argument}\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve-peer", peer] => peers::serve(peer),
        ["--whole", name] => start_once(name),
        // The first process of a container often reaps no orphans.
        _ => return init::under_init(&arguments, |arguments| exit_code(parse_and_compare(arguments))),
    };
    exit_code(done)
}

fn parse_and_compare(arguments: &[String]) -> Result<(), Failure> {
    compare(&Options::parse(arguments)?)
}

fn exit_code(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts and removes one daemon, as a command that needs one would.
fn start_once(name: &str) -> Result<(), Failure> {
    let runtime = runtime()?;
    let subject = subject::all().into_iter().find(|subject| subject.name == name);
    subject.ok_or("no such daemon")?.start(&runtime)?;
    Ok(())
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn compare(options: &Options) -> Result<(), Failure> {
    if options.install_peers {
        peers::install()?;
    }
    let runtime = runtime()?;
    let mut subjects = subject::all();
    if let Some(only) = &options.only {
        for name in only {
            if !subjects.iter().any(|subject| subject.name == name) {
                let names: Vec<_> = subjects.iter().map(|subject| subject.name).collect();
                return Err(format!("unknown daemon {name:?}; the known ones are {}", names.join(", ")).into());
            }
        }
        subjects.retain(|subject| only.iter().any(|name| name == subject.name));
    }
    let mut results = Vec::new();
    for subject in &subjects {
        eprintln!("{} …", subject.name);
        match measure(subject, options, &runtime) {
            Ok(measured) => results.push((subject, measured)),
            Err(error) => eprintln!("{} could not be measured: {error}", subject.name),
        }
    }
    table::print(&results);
    if let Some(path) = &options.raw {
        std::fs::write(path, table::csv(&results))?;
    }
    let everything = options.only.is_none() && options.peers && results.len() == subjects.len();
    let default = everything.then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/start-times.svg"));
    if let Some(path) = options.plot.clone().or(default) {
        std::fs::write(&path, plot::svg(&results))?;
        println!("\nThe chart is in {}.", path.display());
    }
    Ok(())
}

/// A peer, its process, and the total time it has taken.
struct Contestant {
    peer: &'static Peer,
    running: Result<Running, String>,
    spent: Duration,
}

fn measure(subject: &Subject, options: &Options, runtime: &Runtime) -> Result<Measured, Failure> {
    // Makes the template and fills the caches.
    subject.start(runtime)?;
    let (floor, _keeper) = subject.floor()?;
    floor.run(runtime)?;
    let mut contestants: Vec<Contestant> = PEERS
        .iter()
        .filter(|peer| options.peers && peer.daemon == subject.name)
        .map(|peer| Contestant {
            peer,
            running: peer.open().map_err(|error| error.to_string()),
            spent: Duration::ZERO,
        })
        .collect();
    let whole = contestants
        .iter()
        .any(|contestant| contestant.peer.is_whole() && contestant.running.is_ok());

    let mut measured = Measured::default();
    let mut theirs: Vec<Vec<subject::Times>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        // Otherwise earlier writes still go to the disk and slow down the next measurement.
        nix::unistd::sync();
        measured.exec.push(subject.exec(&floor)?);
        // Reads the template again: the peers' writes may have pushed it out of the page cache.
        subject.start(runtime)?;
        // The second one finds the caches that the first has filled, so the order alternates.
        if round % 2 == 0 {
            measured.floor.push(floor.run(runtime)?);
            measured.ours.push(subject.start(runtime)?);
        } else {
            measured.ours.push(subject.start(runtime)?);
            measured.floor.push(floor.run(runtime)?);
        }
        if whole {
            measured.whole.push(our_whole_command(subject.name)?);
        }
        for (contestant, times) in contestants.iter_mut().zip(&mut theirs) {
            let Ok(running) = &mut contestant.running else {
                continue;
            };
            if times.len() >= 3 && contestant.spent > PEER_BUDGET {
                continue;
            }
            nix::unistd::sync();
            let begin = Instant::now();
            match running.cycle() {
                Ok(taken) => times.push(taken),
                Err(error) => contestant.running = Err(error.to_string()),
            }
            contestant.spent += begin.elapsed();
        }
    }
    for (contestant, times) in contestants.into_iter().zip(theirs) {
        measured.peers.push(MeasuredPeer {
            name: contestant.peer.name,
            is_whole: contestant.peer.is_whole(),
            target: contestant.peer.target,
            times: contestant.running.map(|_| times),
        });
    }
    Ok(measured)
}

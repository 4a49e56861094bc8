//! How the framework scales: many daemons alive at once, several started at once, and ten thousand
//! started one after another.
//!
//! `cargo bench --bench scale [-- [alive] [throughput] [cycles] [--alive R,P,M] [--starts N]
//! [--cycles N]]`; without the name of a part, all parts run. Exits with status 1 if something has
//! grown with the cycles.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::panic)]

mod alive;
mod cycles;
mod floor;
#[path = "../shared/init.rs"]
mod init;
mod look;
mod numbers;
mod options;
mod questions;
#[allow(dead_code)] // `compare` uses all of it
#[path = "../shared/recorded.rs"]
mod recorded;
mod throughput;

use std::error::Error;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use managed_daemons::{MySql, Nginx, Postgres, Redis, Result};
use tempfile::TempDir;

use crate::options::Options;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // The first process of a container often reaps no orphans.
    init::under_init(&arguments, measure)
}

fn measure(arguments: &[String]) -> ExitCode {
    let options = match Options::parse(arguments.iter().cloned()) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(grown) if grown.is_empty() => ExitCode::SUCCESS,
        Ok(grown) => {
            eprintln!("\nThis has grown:\n{}", grown.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Vec<String>> {
    let (root, store) = (private_root(), private_root());
    let root = root.path();
    if options.wants("alive") {
        let [redis, postgres, mysql] = options.alive;
        alive::run::<Redis>(redis, root)?;
        alive::run::<Postgres>(postgres, root)?;
        alive::run::<MySql>(mysql, root)?;
    }
    if options.wants("throughput") {
        throughput::run::<Redis>(options.starts, root, store.path(), questions::redis)?;
        throughput::run::<Nginx>(options.starts, root, store.path(), questions::nginx)?;
        throughput::run::<Postgres>(options.starts, root, store.path(), questions::postgres)?;
        throughput::run::<MySql>(options.starts, root, store.path(), questions::mysql)?;
    }
    if options.wants("cycles") {
        return cycles::run(options.cycles, root);
    }
    Ok(Vec::new())
}

/// A directory for this run, in memory if possible, which the daemons' user can enter.
fn private_root() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = match memory.is_dir() {
        true => memory.to_path_buf(),
        false => std::env::temp_dir(),
    };
    let made = tempfile::Builder::new()
        .prefix("md-test-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(&parent);
    made.unwrap_or_else(|error| panic!("can't make a directory in {}: {error}", parent.display()))
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

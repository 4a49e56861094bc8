//! What is kept of a failed test, and how its daemon is started again.

#[cfg(feature = "cli")]
mod command_line;
mod hold;
mod keep;
mod reopen;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::run_tests;

/// Set in a process whose tests are to fail.
const FAIL: &str = "MANAGED_DAEMONS_TESTS_FAIL";

fn fails() -> bool {
    std::env::var_os(FAIL).is_some()
}

/// Runs the tests below this module whose names contain this, and keeps in `kept` what is kept.
fn tests(which: &str, root: &Path, kept: &Path) -> Command {
    let mut command = run_tests(&format!("artifacts::{which}"), root);
    command
        .args(["--test-threads=2", "--nocapture"])
        .env("RUST_BACKTRACE", "0")
        .env("MANAGED_DAEMONS_KEEP_DIR", kept)
        .env("CARGO_PKG_NAME", "shop")
        .env_remove("MANAGED_DAEMONS_KEEP")
        .env_remove("MANAGED_DAEMONS_REPORT");
    command
}

fn failing(which: &str, root: &Path, kept: &Path) -> Output {
    let output = tests(which, root, kept).env(FAIL, "1").output().unwrap();
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    output
}

fn entries(dir: &Path) -> Vec<String> {
    let listing = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = listing
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// The directory that was kept of the daemon of a test below this module.
fn kept_of(kept: &Path, test: &str, daemon: &str) -> PathBuf {
    kept.join(format!("shop.it.artifacts.{}", test.replace("::", ".")))
        .join(daemon)
}

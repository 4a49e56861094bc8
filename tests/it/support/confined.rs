//! A process on a machine that lacks something: `victim start <daemon>` below a program that takes
//! it away.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{private_root, program};

/// All daemons that a victim can start here without a large download.
pub(crate) const DAEMONS: [&str; 7] = [
    "apache",
    "mariadb",
    "memcached",
    "nginx",
    "postgres",
    "rabbitmq",
    "redis",
];

/// Whether `victim start <daemon>` succeeds without being confined, which also fetches the daemon;
/// and what it said.
#[track_caller]
pub(crate) fn assert_starts(daemon: &str) {
    let (succeeds, said) = start(&["env"], daemon, None, &[]);
    assert!(succeeds, "{daemon}: {said}");
}

/// The report of a start that fails below these words of a command.
#[track_caller]
pub(crate) fn failure_below(words: &[&str], daemon: &str, root: Option<&Path>, variables: &[(&str, &str)]) -> String {
    let (succeeds, said) = start(words, daemon, root, variables);
    assert!(!succeeds, "{daemon} started below {words:?}: {said}");
    let report = said.split_once("begun\n").map(|(_, report)| report.to_owned());
    report.unwrap_or_else(|| panic!("{daemon} did not begin below {words:?}: {said}"))
}

/// Starts a daemon below a command, with this root for its temporary files.
pub(crate) fn start(words: &[&str], daemon: &str, root: Option<&Path>, variables: &[(&str, &str)]) -> (bool, String) {
    let own = private_root();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .arg(program!("victim"))
        .args(["start", daemon])
        .env("MANAGED_DAEMONS_TMPDIR", root.unwrap_or(own.path()))
        .env("MANAGED_DAEMONS_KEEP", "never")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let [said, complaints] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    super::assert_nothing_left(own.path());
    (output.status.success(), said + &complaints)
}

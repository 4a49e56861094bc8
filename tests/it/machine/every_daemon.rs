//! Runs the program `every-daemon` under conditions: see `src/bin/every-daemon.rs`.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use managed_daemons::{BinaryRequest, BinarySpec};
use tempfile::TempDir;

use crate::support::{assert_nothing_left, private_root, program};

/// All that the distribution has.
pub(crate) const ALL: [&str; 7] = [
    "redis",
    "memcached",
    "postgres",
    "mariadb",
    "nginx",
    "apache",
    "rabbitmq",
];

/// A shell's command that runs its arguments after `first`.
pub(crate) fn after(first: &str) -> Vec<String> {
    ["/bin/sh", "-c", &format!("{first}; exec \"$@\""), "sh"]
        .map(String::from)
        .to_vec()
}

/// A command that runs `every-daemon` through `wrapper`, with its temporary files in `root`.
pub(crate) fn every_daemon(wrapper: &[String], root: &Path, arguments: &[&str]) -> Command {
    let (first, rest) = wrapper.split_first().unwrap();
    let mut command = Command::new(first);
    command
        .args(rest)
        .arg(program!("every-daemon"))
        .args(arguments)
        .env("MANAGED_DAEMONS_TMPDIR", root)
        .env("MANAGED_DAEMONS_KEEP", "never")
        .stdin(Stdio::null());
    command
}

/// What it prints.
#[track_caller]
pub(crate) fn output_of(mut command: Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Starts these daemons, and fails unless each of them works and leaves nothing.
#[track_caller]
pub(crate) fn assert_work(wrapper: &[String], daemons: &[&str], environment: impl FnOnce(&mut Command)) {
    let root = private_root();
    let mut command = every_daemon(wrapper, root.path(), &[&["start"], daemons].concat());
    environment(&mut command);
    let printed = output_of(command);
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<String> = daemons.iter().map(|name| format!("{name}: ok")).collect();
    expected.sort();
    assert_eq!(lines, expected);
    assert_nothing_left(root.path());
}

/// A cache with the installations that this process uses, and nothing else.
pub(crate) fn cache_without_templates() -> (TempDir, PathBuf) {
    let dir = private_root();
    let cache = dir.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    let found = ALL.iter().map(|name| match *name {
        "mariadb" => "mysql",
        name => name,
    });
    let found = found.map(|name| {
        BinarySpec::named(name)
            .unwrap()
            .locate(&BinaryRequest::default())
            .unwrap()
    });
    // The system's own installations are in no cache.
    if let Some(root) = found.filter_map(|binary| binary.prefix).next() {
        symlink(root.ancestors().nth(2).unwrap(), cache.join("store")).unwrap();
    }
    (dir, cache)
}

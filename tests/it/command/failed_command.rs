//! A command that fails: the report of its daemons, and their directories.

use std::path::Path;
use std::process::Output;

use nix::sys::signal::Signal;

use super::{run_in, text, Session};
use crate::support::{assert_nothing_left, private_root};

fn failing(kept: &Path, variables: &[(&str, &str)], script: &str) -> Output {
    let root = private_root();
    let mut command = run_in(root.path());
    command
        .env_remove("MANAGED_DAEMONS_KEEP")
        .env_remove("MANAGED_DAEMONS_REPORT")
        .env("MANAGED_DAEMONS_KEEP_DIR", kept)
        .envs(variables.iter().copied());
    let words = [
        "redis",
        "store=postgres",
        "--database",
        "shop",
        "--",
        "sh",
        "-c",
        script,
    ];
    let output = command.args(words).output().unwrap();
    assert_nothing_left(root.path());
    output
}

fn is_empty(dir: &Path) -> bool {
    dir.read_dir().unwrap().next().is_none()
}

#[test]
fn its_daemons_are_reported_and_kept() {
    let kept = private_root();
    let output = failing(kept.path(), &[], "echo said; echo complained >&2; exit 7");
    let said = text(&output.stderr);
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(7), &b"said\n"[..]),
        "{said}"
    );
    assert!(said.starts_with("complained\n"), "{said}");
    // One directory for these arguments, here.
    let dirs: Vec<_> = kept.path().read_dir().unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(dirs.len(), 1);
    // Under cargo, with the package in front.
    assert!(dirs[0].file_name().to_string_lossy().contains("run.sh-"));
    for daemon in ["redis", "postgres"] {
        assert_eq!(said.matches(&format!("\n{daemon} ")).count(), 1, "{said}");
        let dir = dirs[0].path().join(daemon);
        assert!(said.contains(&format!(" {}\n", dir.display())), "{said}");
        assert!(dir.join("service.json").is_file());
    }
}

#[test]
fn variables_turn_both_off() {
    let kept = private_root();
    let never = [("MANAGED_DAEMONS_REPORT", "never"), ("MANAGED_DAEMONS_KEEP", "never")];
    let output = failing(kept.path(), &never, "exit 7");
    assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(7), ""));
    assert!(is_empty(kept.path()));
}

#[test]
fn a_command_that_succeeds_has_no_report() {
    let kept = private_root();
    let output = failing(kept.path(), &[], "exit 0");
    assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(0), ""));
    assert!(is_empty(kept.path()));
}

#[test]
fn a_command_that_a_signal_ends_on_its_own_has_failed() {
    let kept = private_root();
    let output = failing(kept.path(), &[], "kill -SEGV $$");
    assert_eq!(output.status.code(), Some(128 + Signal::SIGSEGV as i32));
    assert!(text(&output.stderr).contains("\nredis "), "{output:?}");
    assert!(!is_empty(kept.path()));
}

#[test]
fn a_command_that_somebody_has_interrupted_has_not_failed() {
    let kept = private_root();
    let mut session = Session::start_with(&["redis"], |command| {
        command
            .env_remove("MANAGED_DAEMONS_KEEP")
            .env("MANAGED_DAEMONS_KEEP_DIR", kept.path());
    });
    session.send(Signal::SIGTERM);
    assert_eq!(session.wait(), (128 + Signal::SIGTERM as i32, String::new()));
    assert!(is_empty(kept.path()));
    assert_nothing_left(session.root.path());
}

//! What is left when somebody is killed: nothing.

use std::path::Path;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{words_of, Session};
use crate::support::{assert_nothing_left, eventually_false, private_root, program};

/// Starts children in the background, one of them in a session of its own, and prints all pids.
const WITH_CHILDREN: &str = "setsid sh -c 'echo $$ >session; exec sleep 1000' & \
    (sleep 1000 & echo $! >orphan); sleep 1000 & echo $! >child; until [ -s session ]; do sleep 0.01; done; \
    echo $(cat session orphan child) $$ >pids.new; mv pids.new pids; echo ready; wait";

fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// A session whose command has children, in another directory; and their pids, with the command's
/// last.
fn with_children(files: &Path) -> (Session, Vec<Pid>) {
    let mut session = Session::spawn(&["redis", "postgres"], WITH_CHILDREN, |command| {
        command.current_dir(files);
    });
    assert_eq!(session.line(), "ready");
    let pids = words_of(&files.join("pids"));
    let pids: Vec<Pid> = pids.iter().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect();
    assert_eq!((pids.len(), pids.iter().all(|pid| is_alive(*pid))), (4, true));
    (session, pids)
}

#[track_caller]
fn assert_gone(session: &Session, pids: &[Pid]) {
    for pid in pids {
        eventually_false("alive", || is_alive(*pid));
    }
    assert_nothing_left(session.root.path());
}

#[test]
fn a_run_that_is_killed_leaves_nothing() {
    let files = private_root();
    let (mut session, pids) = with_children(files.path());
    session.send(Signal::SIGKILL);
    assert_eq!(session.wait(), (-(Signal::SIGKILL as i32), String::new()));
    assert_gone(&session, &pids);
}

#[test]
fn a_command_that_is_killed_leaves_nothing() {
    let files = private_root();
    let (mut session, pids) = with_children(files.path());
    kill(pids[3], Signal::SIGKILL).unwrap();
    assert_eq!(session.wait(), (128 + Signal::SIGKILL as i32, String::new()));
    assert_gone(&session, &pids);
}

#[test]
fn both_together_leave_nothing() {
    let files = private_root();
    let (mut session, pids) = with_children(files.path());
    kill(pids[3], Signal::SIGKILL).unwrap();
    session.send(Signal::SIGKILL);
    session.child.wait().unwrap();
    assert_gone(&session, &pids);
}

#[test]
fn a_command_that_is_asked_to_end_leaves_nothing() {
    let files = private_root();
    let (mut session, pids) = with_children(files.path());
    session.send(Signal::SIGTERM);
    assert_eq!(session.wait(), (128 + Signal::SIGTERM as i32, String::new()));
    assert_gone(&session, &pids);
}

#[test]
fn what_a_command_leaves_when_it_succeeds_ends_too() {
    let files = private_root();
    let script = WITH_CHILDREN.replace("; wait", "");
    let mut session = Session::spawn(&["redis"], &script, |command| {
        command.current_dir(files.path());
    });
    assert_eq!(session.wait(), (0, String::from("ready\n")));
    let pids = words_of(&files.path().join("pids"));
    let pids: Vec<Pid> = pids.iter().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect();
    assert_gone(&session, &pids);
}

/// A run within a run, whose innermost command has children.
fn nested(files: &Path) -> (Session, Vec<Pid>) {
    let script = "exec \"$PROGRAM\" run --no-file redis -- sh -c \"$INNER\"";
    let mut session = Session::spawn(&["redis"], script, |command| {
        command
            .current_dir(files)
            .env("PROGRAM", program!("command-line"))
            .env("INNER", WITH_CHILDREN);
    });
    assert_eq!(session.line(), "ready");
    let pids = words_of(&files.join("pids"));
    (
        session,
        pids.iter().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect(),
    )
}

#[test]
fn a_nested_run_ends_with_the_outer_one() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let files = private_root();
        let (mut session, pids) = nested(files.path());
        session.send(signal);
        let expected = match signal {
            Signal::SIGKILL => -9,
            _ => 128 + signal as i32,
        };
        assert_eq!(session.wait(), (expected, String::new()));
        assert_gone(&session, &pids);
    }
}

#[test]
fn a_nested_run_that_is_killed_leaves_nothing_and_the_outer_one_reports_it() {
    let files = private_root();
    let (mut session, pids) = nested(files.path());
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pids[3])).unwrap();
    let inner = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kill(Pid::from_raw(inner), Signal::SIGKILL).unwrap();
    assert_eq!(session.wait(), (128 + Signal::SIGKILL as i32, String::new()));
    assert_gone(&session, &pids);
}

#[test]
fn a_nested_run_has_its_own_variables() {
    let script =
        "\"$PROGRAM\" run --no-file redis --without-password -- sh -c 'echo \"${REDIS_PASSWORD-none} $REDIS_URL\"'
        echo \"${REDIS_PASSWORD-none} $REDIS_URL\"";
    let mut session = Session::spawn(&["redis", "--password", "outer"], script, |command| {
        command.env("PROGRAM", program!("command-line"));
    });
    let (inner, outer) = (session.line(), session.line());
    assert!(inner.starts_with("none redis://127.0.0.1:"), "{inner}");
    assert!(outer.starts_with("outer redis://:outer@127.0.0.1:"), "{outer}");
    assert_eq!(session.wait(), (0, String::new()));
    assert_nothing_left(session.root.path());
}

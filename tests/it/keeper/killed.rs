//! What is killed.

use nix::sys::signal::{kill, Signal};

use super::{answers, url};
use crate::support::{eventually, Run};

/// Kills the keeper of a run, and waits until it is gone.
fn kill_keeper(run: &Run) {
    let keepers = run.keepers();
    assert_eq!(keepers.len(), 1, "{keepers:?}");
    kill(keepers[0], Signal::SIGKILL).unwrap();
    eventually("died", || match run.keepers() {
        left if left.contains(&keepers[0]) => Err(left),
        _ => Ok(()),
    });
}

#[test]
fn after_the_keeper_is_killed_the_run_goes_on() {
    let mut run = Run::new();
    let mut first = run.start("daemon a");
    let of_first = url(&mut first);
    kill_keeper(&run);
    // Another one starts: it does not know the daemon, but does not take it from the first either.
    let mut second = run.start("daemon a");
    let of_second = url(&mut second);
    assert_ne!(of_second, of_first);
    assert!(answers(&of_first) && answers(&of_second));
    first.end();
    let mut third = run.start("daemon a");
    assert_eq!(url(&mut third), of_second);
    second.end();
    third.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn after_all_is_killed_the_next_run_removes_what_is_left() {
    let mut run = Run::new();
    let mut first = run.start("daemon a");
    let of_first = url(&mut first);
    kill_keeper(&run);
    first.kill();
    assert!(answers(&of_first), "nobody was there to end it");
    // It meets the socket of the one that was killed.
    let mut second = run.start("daemon a");
    assert_ne!(url(&mut second), of_first);
    second.end();
    run.end();
    run.assert_nothing_left();
    assert!(!answers(&of_first));
}

#[test]
fn after_the_runner_is_killed_nothing_is_left() {
    let mut run = Run::new();
    let mut sharer = run.start("daemon a");
    let of_first = url(&mut sharer);
    run.kill();
    sharer.kill();
    run.assert_nothing_left();
    assert!(!answers(&of_first));
}

#[test]
fn a_test_process_that_is_killed_while_it_starts_what_all_share_leaves_nothing() {
    for milliseconds in [0, 5, 10, 20, 40] {
        let mut run = Run::new();
        let first = run.start("daemon a");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        first.kill();
        let mut second = run.start("daemon a");
        assert!(answers(&url(&mut second)));
        second.end();
        run.end();
        run.assert_nothing_left();
    }
}

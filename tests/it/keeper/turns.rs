//! A limit for the daemons of a run.

use managed_daemons::{with_redis, RedisDaemon};

use super::{answers, url};
use crate::support::{eventually, Run, Sharer};

/// A test that the one below runs in a process of its own.
mod tests_with_a_limit {
    use super::*;

    #[with_redis]
    #[with_redis]
    #[test]
    fn two_daemons_by_attributes(one: RedisDaemon, other: RedisDaemon) {
        assert_ne!(one.port(), other.port());
    }
}

fn with_at_most(most: &str) -> Run {
    Run::with_variable("MANAGED_DAEMONS_MAX", most)
}

#[test]
fn no_more_than_the_limit_run_at_once() {
    let mut run = with_at_most("2");
    let mut waiting: Vec<Sharer> = (0..5).map(|_| run.start("own 1")).collect();
    let mut running: Vec<Sharer> = Vec::new();
    for ended in 0..5 {
        let at_once = (5 - ended).min(2);
        while running.len() < at_once {
            let mut started = None;
            eventually("started", || {
                started = waiting.iter().position(|sharer| sharer.printed().is_some());
                started.map(drop).ok_or("none")
            });
            let mut sharer = waiting.swap_remove(started.unwrap());
            assert_eq!(sharer.line(), "started");
            running.push(sharer);
        }
        assert!(waiting.iter().all(|sharer| sharer.printed().is_none()));
        let mut sharer = running.remove(0);
        sharer.go_on();
        assert_eq!(sharer.line(), "ended");
    }
    run.end();
    run.assert_nothing_left();
}

#[test]
fn tests_that_take_two_daemons_do_not_wait_for_each_other_for_ever() {
    let mut run = with_at_most("2");
    let mut sharers: Vec<Sharer> = (0..4).map(|_| run.start("own 2")).collect();
    for _ in 0..sharers.len() {
        // Whichever has both.
        let mut first = None;
        eventually("had both", || {
            first = sharers.iter().position(|sharer| sharer.has_printed(2));
            first.map(drop).ok_or("none")
        });
        let mut sharer = sharers.swap_remove(first.unwrap());
        assert_eq!([sharer.line(), sharer.line()], ["started", "started"]);
        sharer.end();
    }
    run.end();
    run.assert_nothing_left();
}

#[test]
fn one_who_is_killed_gives_its_turn_back() {
    let mut run = with_at_most("1");
    let mut first = run.start("own 1");
    assert_eq!(first.line(), "started");
    let mut second = run.start("own 1");
    run.wait_until_connected(2);
    assert_eq!(second.printed(), None);
    first.kill();
    assert_eq!(second.line(), "started");
    second.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn one_who_waits_long_for_its_turn_is_told_so() {
    let mut run = with_at_most("1");
    let mut first = run.start("own 1");
    assert_eq!(first.line(), "started");
    let mut second = run.start("own 1");
    let notice = "managed-daemons: redis waits for its turn: `MANAGED_DAEMONS_MAX` is 1, and so many daemons run in \
                  this run\n";
    eventually("told", || {
        let said = second.errors();
        if said.contains('\n') {
            Ok(())
        } else {
            Err(said)
        }
    });
    assert_eq!(second.errors(), notice);
    assert_eq!(second.printed(), None);
    first.end();
    assert_eq!(second.line(), "started");
    run.end();
    run.assert_nothing_left();
}

#[test]
fn shared_servers_take_no_turn() {
    let mut run = with_at_most("1");
    let mut shared = [run.start("daemon a"), run.start("daemon b")];
    shared.iter_mut().for_each(|sharer| assert!(answers(&url(sharer))));
    let mut own = run.start("own 1");
    assert_eq!(own.line(), "started");
    let mut later = run.start("daemon c");
    assert!(answers(&url(&mut later)));
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_limit_that_is_no_number_is_an_error() {
    let mut run = with_at_most("many");
    let mut sharer = run.start("own 1");
    let said = sharer.line();
    assert!(
        said.contains("MANAGED_DAEMONS_MAX") && said.contains("such as 8"),
        "{said}"
    );
    run.end();
    run.assert_nothing_left();
}

#[test]
fn daemons_that_one_test_starts_at_the_same_time_do_not_wait_for_each_other() {
    let mut run = with_at_most("1");
    let mut tests = run.start_tests("tests_with_a_limit::two_daemons_by_attributes");
    let said = std::iter::repeat_with(|| tests.line()).find(|line| line.starts_with("test result: "));
    assert!(
        said.unwrap().starts_with("test result: ok. 1 passed"),
        "{}",
        tests.errors()
    );
    // Whoever waits for long is told so.
    assert_eq!(tests.errors(), "");
    tests.end();
    run.end();
    run.assert_nothing_left();
}

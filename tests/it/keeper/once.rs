//! What is made once.

use std::fs;

use managed_daemons::{once_per_run, RedisDaemon};

use super::{answers, url};
use crate::support::{eventually, Run};

#[test]
fn a_daemon_is_started_once_and_goes_with_the_run() {
    let mut run = Run::new();
    let (mut first, mut second) = (run.start("daemon a"), run.start("daemon a"));
    let of_first = url(&mut first);
    assert_eq!(url(&mut second), of_first);
    let mut other = run.start("daemon b");
    assert_ne!(url(&mut other), of_first);
    // Whoever has started it may be gone: it stays.
    first.end();
    second.end();
    assert!(answers(&of_first));
    let mut third = run.start("daemon a");
    assert_eq!(url(&mut third), of_first);
    third.end();
    other.end();
    assert_eq!(run.keepers().len(), 1);
    run.end();
    run.assert_nothing_left();
    assert!(!answers(&of_first));
}

#[test]
fn a_test_process_that_outlives_its_runner_keeps_what_it_has() {
    let mut run = Run::new();
    let mut sharer = run.start_through("daemon a", "setsid");
    let url = url(&mut sharer);
    run.kill();
    assert!(answers(&url));
    sharer.end();
    run.assert_nothing_left();
}

#[test]
fn what_is_being_made_is_waited_for() {
    let mut run = Run::new();
    let mut first = run.start("slow-daemon a");
    assert_eq!(first.line(), "making");
    let mut second = run.start("slow-daemon a");
    first.go_on();
    let of_first = url(&mut first);
    assert_eq!(url(&mut second), of_first);
    run.end();
    run.assert_nothing_left();
}

#[test]
fn one_who_waits_long_is_told_what_for() {
    let mut run = Run::new();
    let mut first = run.start("slow-daemon a");
    assert_eq!(first.line(), "making");
    let mut second = run.start("slow-daemon a");
    let notice = "managed-daemons: waiting for the redis server, which another test of this run makes\n";
    eventually("told", || {
        let said = second.errors();
        if said.contains('\n') {
            Ok(())
        } else {
            Err(said)
        }
    });
    assert_eq!([first.errors(), second.errors()], ["", notice]);
    first.go_on();
    let of_first = url(&mut first);
    assert_eq!(url(&mut second), of_first);
    assert_eq!(second.errors(), notice);
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_key_that_is_too_long_is_a_clear_error() {
    let key = "x".repeat(5_000_000);
    let error = once_per_run(&key, RedisDaemon::builder).unwrap_err().report();
    assert!(
        error.contains("a message of 50000") && error.contains("is too long"),
        "{error}"
    );
}

#[test]
fn if_the_one_who_makes_it_dies_the_next_makes_it() {
    let mut run = Run::new();
    let mut first = run.start("slow-daemon a");
    assert_eq!(first.line(), "making");
    let mut second = run.start("slow-daemon a");
    first.kill();
    assert_eq!(second.line(), "making");
    second.go_on();
    assert!(answers(&url(&mut second)));
    run.end();
    run.assert_nothing_left();
}

#[test]
fn what_fails_is_tried_once_and_fails_for_all() {
    let mut run = Run::new();
    let log = run
        .root()
        .parent()
        .unwrap()
        .join(format!("md-test-tried-{}", std::process::id()));
    let action = format!("bad-daemon a {}", log.display());
    let mut said: Vec<String> = Vec::new();
    for _ in 0..3 {
        let mut sharer = run.start(&action);
        said.push(sharer.line());
        sharer.end();
    }
    let tried = fs::read_to_string(&log).unwrap();
    fs::remove_file(&log).unwrap();
    assert_eq!(tried, "tried\n");
    assert!(
        said[0].contains("the redis server, which the tests of this run share: "),
        "{said:?}"
    );
    assert!(said[0].contains("maxmemory"), "{said:?}");
    assert!(said.iter().all(|other| *other == said[0]), "{said:?}");
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_daemon_that_has_died_is_started_again() {
    let mut run = Run::new();
    let mut first = run.start("daemon a");
    let of_first = url(&mut first);
    let client = redis::Client::open(&*of_first).unwrap();
    let shutdown = redis::cmd("SHUTDOWN")
        .arg("NOSAVE")
        .exec(&mut client.get_connection().unwrap());
    assert!(shutdown.is_err(), "the connection breaks");
    eventually("ended", || if answers(&of_first) { Err("it answers") } else { Ok(()) });
    let mut second = run.start("daemon a");
    let of_second = url(&mut second);
    assert_ne!(of_second, of_first);
    assert!(answers(&of_second));
    run.end();
    run.assert_nothing_left();
}

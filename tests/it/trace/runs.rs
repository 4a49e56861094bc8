//! Which run a file is about, and where it is.

use std::thread::sleep;
use std::time::Duration;

use super::{pids, read, steps, VARIABLE};
use crate::support::{private_root, Run};

/// The system counts when processes have started in hundredths of a second. Two runs that begin in the
/// same one have an order as well, but not one that a test knows.
const TICKS: Duration = Duration::from_millis(30);

#[test]
fn a_run_begins_the_file_anew() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut last = None;
    for _ in 0..2 {
        let mut run = Run::with_variable(VARIABLE, &file);
        for _ in 0..2 {
            let mut sharer = run.start("own 1");
            assert_eq!(sharer.line(), "started");
            sharer.end();
        }
        run.end();
        run.assert_nothing_left();
        let events = read(&file);
        assert_eq!(steps(&events, "start redis").len(), 2);
        assert_eq!(pids(&events).len(), 2);
        let run = events[0]["args"]["run"].clone();
        assert_ne!(last.replace(run.clone()), Some(run));
    }
}

#[test]
fn a_run_that_goes_on_does_not_mix_its_steps_into_those_of_a_later_one() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut earlier = Run::with_variable(VARIABLE, &file);
    let mut in_earlier = earlier.start("own 2");
    assert_eq!([in_earlier.line(), in_earlier.line()], ["started", "started"]);
    let mut later = Run::with_variable(VARIABLE, &file);
    let mut in_later = later.start("own 1");
    assert_eq!(in_later.line(), "started");
    for _ in 0..2 {
        in_earlier.go_on();
        assert_eq!(in_earlier.line(), "ended");
    }
    // Twice it had something to write; it says so once.
    let notice = format!(
        "managed-daemons: `{}` of `{VARIABLE}` is that of another run, which has begun since: name one for each run; \
         this process writes no trace\n",
        file.display()
    );
    assert_eq!(in_earlier.errors(), notice);
    in_earlier.end();
    in_later.end();
    for mut run in [earlier, later] {
        run.end();
        run.assert_nothing_left();
    }
    let events = read(&file);
    assert_eq!(steps(&events, "start redis").len(), 1);
    assert_eq!(pids(&events).len(), 1);
}

#[test]
fn what_ends_a_process_that_has_given_up_leaves_the_trace_of_others_alone() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut earlier = Run::with_variable(VARIABLE, &file);
    sleep(TICKS);
    let mut later = Run::with_variable(VARIABLE, &file);
    let mut in_later = later.start("own 1");
    assert_eq!(in_later.line(), "started");
    // The first has a reaper, and the second has a keeper besides.
    for action in ["own 1", "daemon a"] {
        let mut in_earlier = earlier.start(action);
        let line = in_earlier.line();
        assert!(!line.starts_with("failed"), "{line}");
        assert!(in_earlier.errors().contains("is that of another run"));
        in_earlier.kill();
    }
    earlier.end();
    earlier.assert_nothing_left();
    in_later.end();
    later.end();
    later.assert_nothing_left();
    let events = read(&file);
    assert_eq!(steps(&events, "start redis").len(), 1);
    assert_eq!(pids(&events).len(), 1);
}

#[test]
fn a_runner_that_a_test_of_nextest_starts_belongs_to_the_same_run() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let run = || {
        Run::with(|command| {
            command
                .env("NEXTEST_RUN_ID", "6ab1bd17-8e6f-4e0c-8f9d-3f2d5f6b8a11")
                .env(VARIABLE, &file);
        })
    };
    let mut outer = run();
    sleep(TICKS);
    let mut inner = run();
    for is_inner in [false, true, false] {
        let runner = if is_inner { &mut inner } else { &mut outer };
        let mut sharer = runner.start("own 1");
        assert_eq!(sharer.line(), "started");
        assert_eq!(sharer.errors(), "");
        sharer.end();
    }
    for mut run in [outer, inner] {
        run.end();
        run.assert_nothing_left();
    }
    assert_eq!(steps(&read(&file), "start redis").len(), 3);
}

#[test]
fn a_relative_path_begins_where_the_runner_was_started() {
    let dir = private_root();
    let mut run = Run::with(|command| {
        command.env(VARIABLE, "trace.json").current_dir(dir.path());
    });
    // As cargo does: each package's tests run in its own directory.
    let mut sharers = [
        run.start_through("daemon a", "env --chdir=/"),
        run.start_through("daemon a", "env --chdir=/tmp"),
    ];
    for sharer in &mut sharers {
        assert!(sharer.line().starts_with("redis://"));
    }
    for sharer in sharers {
        sharer.end();
    }
    run.end();
    run.assert_nothing_left();
    // Those two, and the keeper.
    assert_eq!(pids(&read(&dir.path().join("trace.json"))).len(), 3);
}

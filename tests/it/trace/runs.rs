//! Which run a file is about, and where it is.

use super::{pids, read, steps, VARIABLE};
use crate::support::{private_root, Run};

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

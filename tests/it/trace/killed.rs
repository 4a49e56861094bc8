//! A process that is killed leaves a whole file.

use std::fs::{self, OpenOptions};
use std::time::Duration;

use serde_json::Value;

use super::{pids, read, steps, VARIABLE};
use crate::support::{assert_no_process_left, assert_nothing_left, eventually, private_root, victim_command, Run};

/// How often a process is killed, and at most if it had no daemon any time.
const KILLS: u64 = 20;
const MOST_KILLS: u64 = 200;

#[test]
fn a_file_is_whole_whenever_a_process_is_killed() {
    let dir = private_root();
    let (mut kills, mut cleaned_up) = (0, 0);
    while kills < KILLS || cleaned_up == 0 {
        assert!(kills < MOST_KILLS, "no reaper has cleaned up");
        let (root, user_root) = (private_root(), private_root());
        let file = dir.path().join(format!("{kills}.json"));
        let mut command = victim_command("redis churn", root.path());
        command
            .env("VICTIM_DIR", user_root.path().join("kept"))
            .env(VARIABLE, &file);
        let mut victim = command.spawn().unwrap();
        eventually("begun to write", || match file.exists() {
            true => Ok(()),
            false => Err("no file"),
        });
        // Another moment of its life each time.
        std::thread::sleep(Duration::from_millis(3 * kills));
        kills += 1;
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_nothing_left(root.path());
        assert_no_process_left(user_root.path());
        // It may have been killed before it has written its first step.
        if fs::metadata(&file).unwrap().len() == 0 {
            continue;
        }
        let events = read(&file);
        // What the reaper does is shown with the process that it does it for.
        for step in steps(&events, "clean up") {
            assert_eq!(step["pid"], victim.id());
            cleaned_up += 1;
        }
        assert!(pids(&events).into_iter().all(|pid| pid == u64::from(victim.id())));
    }
}

#[test]
fn an_unfinished_step_is_taken_away() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    let mut first = run.start("own 1");
    assert_eq!(first.line(), "started");
    let starts = steps(&read(&file), "start redis").len();
    let last = read(&file).pop().unwrap();
    // As if the process had been killed while it wrote its last step.
    let length = fs::metadata(&file).unwrap().len();
    let opened = OpenOptions::new().write(true).open(&file).unwrap();
    opened.set_len(length - 25).unwrap();
    first.kill();
    eventually("mended", || {
        let text = fs::read_to_string(&file).unwrap();
        serde_json::from_str::<Value>(&text).map(drop)
    });
    let events = read(&file);
    assert!(!events.contains(&last));
    assert_eq!(steps(&events, "start redis").len(), starts - 1);
    // And others go on.
    let mut second = run.start("own 1");
    assert_eq!(second.line(), "started");
    second.end();
    run.end();
    run.assert_nothing_left();
    assert_eq!(steps(&read(&file), "start redis").len(), starts);
}

//! What the file is: whole, private, of all processes of a run.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{pids, processes, read, steps, VARIABLE};
use crate::support::{private_root, Run, Sharer};

/// What a sharer prints, which is a URL with a password, and the password.
#[track_caller]
fn password(sharer: &mut Sharer) -> String {
    let url = sharer.line();
    let account = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
        .unwrap()
        .0;
    let password = account.split_once(':').unwrap().1.to_owned();
    assert!(password.len() > 8, "{url}");
    password
}

#[test]
fn all_processes_of_a_run_write_to_one_file_that_tells_no_secret() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    let mut sharers = [
        run.start("daemon a"),
        run.start("daemon a"),
        run.start("postgres"),
        run.start("postgres"),
    ];
    let passwords = sharers.each_mut().map(password);
    for sharer in sharers {
        sharer.end();
    }
    run.end();
    run.assert_nothing_left();

    let events = read(&file);
    let expected = ["managed-daemons-keeper", "sharer", "sharer", "sharer", "sharer"];
    assert_eq!(processes(&events), expected);
    assert_eq!(pids(&events).len(), expected.len());
    // Each server is started once. Whoever came second has waited for it.
    assert_eq!(steps(&events, "start redis").len(), 1);
    assert_eq!(steps(&events, "wait for the redis server").len(), 2);
    assert_eq!(steps(&events, "start postgres").len(), 1);
    // In the keeper, and in those who take them.
    let [made, taken] = ["make part postgres", "take the database"].map(|name| steps(&events, name));
    assert!((1..=2).contains(&made.len()), "{made:?}");
    assert_eq!(taken.len(), 2);
    assert_ne!(made[0]["pid"], taken[0]["pid"]);
    let ended = steps(&events, "clean up what the run has shared");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["pid"], made[0]["pid"]);

    let text = fs::read_to_string(&file).unwrap();
    for password in passwords {
        assert!(!text.contains(&password), "{text}");
    }
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_file_opens_while_the_run_goes_on() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    let mut sharer = run.start("own 2");
    assert_eq!(sharer.line(), "started");
    let first = steps(&read(&file), "start redis").len();
    assert!(first >= 1);
    assert_eq!(sharer.line(), "started");
    assert_eq!(steps(&read(&file), "start redis").len(), 2);
    sharer.end();
    run.end();
    run.assert_nothing_left();
    assert_eq!(steps(&read(&file), "kill redis").len(), 2);
}

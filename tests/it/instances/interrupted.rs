//! Starts that are killed, daemons that are killed, machines that restart, and files that are damaged.

use std::fs::{read_to_string, remove_file, write};
use std::path::Path;
use std::process::{Child, Stdio};

use managed_daemons_tests::processes_of;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{names_in, Instances};
use crate::support::{assert_no_process_left, assert_nothing_left, eventually_false};

const DAEMONS: &[&str] = &["redis", "postgres"];

/// How many files and directories there are.
fn entries(dir: &Path) -> usize {
    let listing = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let below = |entry: std::fs::DirEntry| match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        true => entries(&entry.path()),
        false => 0,
    };
    listing.map(|entry| 1 + below(entry)).sum()
}

/// Begins a start, and signals it once it has made so many files and directories.
fn interrupt(instances: &Instances, arguments: &[&str], made: usize, signal: Signal) {
    let mut command = instances.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let before = entries(instances.dir.path());
    let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
    while entries(instances.dir.path()) < before + made && !ended(&mut child) {
        std::hint::spin_loop();
    }
    if !ended(&mut child) {
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    }
    child.wait().unwrap();
}

/// The number of files after which a start is interrupted: most happens while there are few.
fn moment(round: usize, all: usize) -> usize {
    let most = if round % 2 == 0 { 24 } else { all };
    fastrand::usize(0..=most)
}

fn signal(round: usize) -> Signal {
    [Signal::SIGKILL, Signal::SIGTERM][round / 2 % 2]
}

#[test]
fn a_start_that_was_killed_can_be_repeated_or_removed_at_once() {
    let instances = Instances::new();
    let start = [&["start", "dev"], DAEMONS].concat();
    instances.run(&start);
    let all = entries(instances.dir.path());
    instances.remove("dev");
    for round in 0..24 {
        let made = moment(round, all);
        interrupt(&instances, &start, made, signal(round));
        // What it has left can also be removed, which stops what it has started.
        let is_there = instances.dir("dev").exists();
        if round % 3 == 0 && is_there {
            instances.remove("dev");
            continue;
        }
        let started = instances.shown(&start);
        assert!(started.iter().all(|daemon| daemon.pid.is_some()), "{made}: {started:?}");
        assert_eq!(instances.redis("dev", &["PING"]), "PONG");
        assert_eq!(instances.sql("dev", "SELECT 1"), "1");
        instances.remove("dev");
    }
    assert_eq!(names_in(instances.dir.path()), [""; 0]);
}

#[test]
fn a_further_daemon_whose_start_was_killed_leaves_the_others_alone() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis"]);
    instances.redis("dev", &["SET", "a", "1"]);
    for round in 0..8 {
        interrupt(
            &instances,
            &["start", "dev", "postgres"],
            moment(round, 800),
            signal(round),
        );
        let status = instances.status("dev");
        assert_eq!(status[0], before[0]);
        let started = instances.shown(&["start", "dev", "postgres"]);
        assert_eq!(started[0], before[0]);
        assert_eq!(instances.sql("dev", "SELECT 1"), "1");
        // Starts that are interrupted again and again keep what there was.
        match round {
            0 => assert_eq!(instances.sql("dev", "CREATE TABLE a AS SELECT 5 AS b"), ""),
            _ => assert_eq!(instances.sql("dev", "SELECT b FROM a"), "5"),
        }
        instances.run(&["stop", "dev", "postgres"]);
    }
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    instances.remove("dev");
}

#[test]
fn of_starts_at_once_one_makes_the_instance() {
    let instances = Instances::new();
    let mut children = Vec::new();
    for _ in 0..4 {
        let mut command = instances.command(&["start", "dev", "redis"]);
        children.push(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    }
    let outputs: Vec<_> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let (done, refused): (Vec<_>, Vec<_>) = outputs.into_iter().partition(|output| output.status.success());
    let lines = instances.status("dev")[0].lines("dev");
    assert!(!done.is_empty());
    for output in done {
        assert_eq!(String::from_utf8(output.stdout).unwrap(), lines);
    }
    for output in refused {
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            error,
            "managed-daemons: another `managed-daemons` is just changing `dev`\n"
        );
    }
    assert_eq!(names_in(&instances.dir("dev")), ["instance.json", "redis"]);
    instances.remove("dev");
}

#[test]
fn an_instance_whose_record_is_damaged_can_only_be_removed() {
    let instances = Instances::new();
    let damaged = [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ("{\"format\": 1}", "is damaged"),
        ("{\"format\": 1, \"daemons\": [{}], \"env\": []}", "is damaged"),
        (
            "{\"format\": 2}",
            "was written by another version of managed-daemons: use that one",
        ),
    ];
    let other = instances.shown(&["start", "other", "redis"]);
    instances.run(&["start", "dev", "redis", "postgres"]);
    let record = instances.dir("dev").join("instance.json");
    for (text, named) in damaged {
        write(&record, text).unwrap();
        let problem = format!("`{}` {named}", record.display());
        for arguments in [
            &["start", "dev"][..],
            &["start", "dev", "redis"],
            &["stop", "dev"],
            &["env", "dev"],
        ] {
            assert_eq!(instances.error(arguments), problem, "{arguments:?}");
        }
        // The others are shown all the same.
        let status = instances.output(&["status"]);
        assert_eq!(status.status.code(), Some(1));
        let shown = String::from_utf8(status.stdout).unwrap();
        assert_eq!(shown, format!("dev: {problem}\n{}", other[0].lines("other")));
    }
    // Its daemons run, and are ended, although no record names them.
    assert!(!processes_of(&instances.dir("dev")).is_empty());
    let removed = instances.run(&["remove", "dev"]);
    assert_eq!(removed, format!("removed {}\n", instances.dir("dev").display()));
    assert_no_process_left(&instances.dir("dev"));
    assert_eq!(instances.status("other"), other);
    instances.remove("other");
}

#[test]
fn an_instance_without_a_record_or_a_service_json_is_removed_with_its_processes() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis", "postgres"]);
    remove_file(instances.dir("dev").join("instance.json")).unwrap();
    write(shown[0].dir.join("service.json"), "{").unwrap();
    remove_file(shown[1].dir.join("service.json")).unwrap();
    let error = instances.error(&["stop", "dev"]);
    assert!(
        error.contains("instance.json` is not there: a start was interrupted; `managed-daemons remove dev` removes"),
        "{error}"
    );
    instances.remove("dev");
}

#[test]
fn a_record_that_is_lost_is_made_again_with_the_data_that_are_there() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis"]);
    instances.redis("dev", &["SET", "a", "1"]);
    instances.run(&["stop", "dev"]);
    remove_file(instances.dir("dev").join("instance.json")).unwrap();
    let error = instances.error(&["start", "dev", "redis", "--set", "nonsense=1"]);
    assert!(error.contains("nonsense"), "{error}");
    let again = instances.shown(&["start", "dev", "redis", "--set", "maxmemory=8mb"]);
    assert_eq!(again[0].url, before[0].url);
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    instances.remove("dev");
}

#[test]
fn data_whose_service_json_is_lost_are_not_removed_by_a_start() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis"]);
    instances.redis("dev", &["SET", "a", "1"]);
    instances.run(&["stop", "dev"]);
    let (file, dir) = (before[0].dir.join("service.json"), before[0].dir.display());
    let text = read_to_string(&file).unwrap();
    remove_file(&file).unwrap();
    let files = names_in(&before[0].dir);
    assert_eq!(
        instances.error(&["start", "dev"]),
        format!("`{dir}/service.json`: is not there; name the working directory of a daemon that was started before")
    );
    assert_eq!(names_in(&before[0].dir), files);
    write(&file, text).unwrap();
    assert_eq!(instances.shown(&["start", "dev"])[0].url, before[0].url);
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    instances.remove("dev");
}

#[test]
fn a_daemon_that_was_killed_is_shown_as_stopped_and_starts_again() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis", "postgres"]);
    instances.sql("dev", "CREATE TABLE a AS SELECT 5 AS b");
    for daemon in &before {
        daemon.kill();
    }
    eventually_false("running", || {
        instances.status("dev").iter().any(|daemon| daemon.pid.is_some())
    });
    let stopped: String = instances
        .status("dev")
        .iter()
        .map(|daemon| daemon.lines("dev"))
        .collect();
    assert_eq!(instances.run(&["status", "dev"]), stopped);
    assert_eq!(instances.run(&["stop", "dev"]), "dev did not run\n");
    let again = instances.shown(&["start", "dev"]);
    for (now, before) in again.iter().zip(&before) {
        assert_eq!(now.url, before.url);
        assert!(now.pid.is_some() && now.pid != before.pid, "{now:?}");
    }
    assert_eq!(instances.sql("dev", "SELECT b FROM a"), "5");
    instances.remove("dev");
}

#[test]
fn after_the_machine_has_restarted_an_instance_is_stopped_and_starts_again() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis"]);
    instances.redis("dev", &["SET", "a", "1"]);
    instances.redis("dev", &["SAVE"]);
    before[0].kill();
    assert_no_process_left(&before[0].dir);
    // Its number is now a stranger's, which another boot has started at the same time.
    let mut stranger = std::process::Command::new("sleep").arg("3600").spawn().unwrap();
    let file = before[0].dir.join("service.json");
    let text = read_to_string(&file).unwrap();
    let mut service: serde_json::Value = serde_json::from_str(&text).unwrap();
    service["process"]["boot"] = "another".into();
    service["process"]["pid"] = stranger.id().into();
    write(&file, service.to_string()).unwrap();
    assert_eq!(instances.status("dev")[0].pid, None);
    let again = instances.shown(&["start", "dev"]);
    assert_eq!(again[0].url, before[0].url);
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    instances.remove("dev");
    assert_eq!(stranger.try_wait().unwrap(), None);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_nothing_left(instances.root.path());
}

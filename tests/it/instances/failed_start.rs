//! A start that fails leaves everything as it was.

use std::fs::{read_to_string, write};
use std::net::TcpListener;

use super::{names_in, Instances};
use crate::support::{assert_no_process_left, assert_nothing_left};

/// A Redis that does not start.
const BAD: &[&str] = &["bad=redis", "--set", "nonsense=1"];

#[test]
fn of_a_new_instance_nothing_is_left() {
    let instances = Instances::new();
    let error = instances.error(&[&["start", "dev", "good=redis"], BAD].concat());
    let reason = "bad: redis did not start: 'nonsense 1': Bad directive or wrong number of arguments";
    assert!(error.starts_with(reason), "{error}");
    assert!(!error.contains("is kept in"), "{error}");
    assert_eq!(names_in(instances.dir.path()), [""; 0]);
    assert_no_process_left(instances.dir.path());
    assert_nothing_left(instances.root.path());
}

#[test]
fn an_existing_instance_stays_as_it_was() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis", "stopped=redis", "--env", "A={redis.url}"]);
    instances.run(&["stop", "dev", "stopped"]);
    let files = names_in(&instances.dir("dev"));
    let record = read_to_string(instances.dir("dev").join("instance.json")).unwrap();
    let unknown = ["new=redis", "--env", "B={nope.url}"];
    for arguments in [BAD, &[&["new=redis"], BAD].concat(), &unknown] {
        let error = instances.error(&[&["start", "dev"], arguments].concat());
        assert!(error.contains("nonsense") || error.contains("`{nope.url}`"), "{error}");
        assert_eq!(names_in(&instances.dir("dev")), files, "{arguments:?}");
        let now = read_to_string(instances.dir("dev").join("instance.json")).unwrap();
        assert_eq!(now, record, "{arguments:?}");
    }
    let shown = instances.status("dev");
    assert_eq!(shown[0], before[0]);
    assert_eq!(shown[1].pid, None);
    // A daemon that was there keeps its data when it does not start.
    let error = instances.error(&["start", "dev", "stopped", "--set", "nonsense=1"]);
    let kept = format!("its working directory is kept in `{}`", shown[1].dir.display());
    assert!(error.contains(&kept), "{error}");
    assert_eq!(names_in(&instances.dir("dev")), files);
    instances.remove("dev");
}

#[test]
fn options_of_a_start_that_failed_are_forgotten() {
    let instances = Instances::new();
    instances.run(&["start", "dev", "redis", "--set", "hz=20"]);
    instances.run(&["stop", "dev"]);
    let error = instances.error(&["start", "dev", "redis", "--set", "nonsense=1"]);
    assert!(error.contains("nonsense"), "{error}");
    instances.run(&["start", "dev"]);
    assert_eq!(instances.redis("dev", &["CONFIG", "GET", "hz"]), "hz\n20");
    instances.remove("dev");
}

#[test]
fn a_port_that_another_program_has_taken_is_named() {
    let instances = Instances::new();
    let before = instances.shown(&["start", "dev", "redis", "--password", "s3cret"]);
    instances.redis("dev", &["SET", "a", "1"]);
    instances.run(&["stop", "dev"]);
    let port = before[0].port();
    let thief = TcpListener::bind(("127.0.0.1", port)).unwrap();
    for command in ["start", "restart"] {
        assert_eq!(
            instances.error(&[command, "dev"]),
            format!(
                "redis: redis did not start: port {port}: another program listens on it; stop that program, ask for \
                 another port, or for none to get a free one"
            )
        );
    }
    assert_eq!(instances.status("dev")[0].pid, None);
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let other = free.local_addr().unwrap().port();
    drop(free);
    let moved = instances.shown(&["start", "dev", "redis", "--port", &other.to_string()]);
    assert_eq!(moved[0].url, format!("redis://:s3cret@127.0.0.1:{other}/"));
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    drop(thief);
    instances.remove("dev");
}

#[test]
fn a_directory_for_instances_that_can_not_be_made_is_named() {
    let instances = Instances::new();
    let file = instances.project.path().join("file");
    write(&file, "").unwrap();
    let mut command = instances.command(&["start", "dev", "redis"]);
    let output = command.env("MANAGED_DAEMONS_INSTANCES", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    let named = format!("managed-daemons: `{}/dev` can't be made: ", file.display());
    assert!(error.starts_with(&named), "{error}");
}

//! A test process that is killed leaves nothing: no process, directory, socket or shared memory.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::support::{assert_kills_leave_nothing, eventually_empty, private_root, Victim};

/// Shared memory that no process uses: System V segments, and PostgreSQL's POSIX objects.
fn abandoned_memory() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let unused = |line: &&str| line.split_whitespace().nth(6) == Some("0");
    let mut found: Vec<String> = table.lines().skip(1).filter(unused).map(str::to_owned).collect();
    let objects = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let mut objects: Vec<String> = objects
        .map(|entry| entry.path().display().to_string())
        .filter(|path| path.starts_with("/dev/shm/PostgreSQL."))
        .collect();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if objects.is_empty() {
            break;
        }
        let maps = std::fs::read_to_string(process.path().join("maps")).unwrap_or_default();
        objects.retain(|path| !maps.contains(path.as_str()));
    }
    found.extend(objects);
    found
}

#[track_caller]
fn assert_no_memory_left() {
    // Other tests leave shared memory unused for a moment.
    eventually_empty("rid of abandoned shared memory", abandoned_memory);
}

/// Fills a cache with the templates that a victim makes.
fn make_templates(cache: &Path) {
    let mut victim = Victim::start_with_cache("postgres churn", cache);
    victim.wait_for("started");
    victim.kill();
    victim.assert_nothing_left();
}

#[test]
fn sigkill_at_any_moment_leaves_nothing() {
    let cache = private_root();
    // With a template in place, the kills are spread over the lives of servers.
    make_templates(cache.path());
    let moments = (0..30).map(|kill| Duration::from_millis(kill * 13 % 400));
    assert_kills_leave_nothing("postgres churn", Some(cache.path()), moments);
    assert_no_memory_left();
}

#[test]
fn sigkill_while_a_template_is_made_leaves_nothing_and_the_next_process_makes_it() {
    let cache = private_root();
    let moments = (0..8).map(|kill| Duration::from_millis(kill * 250));
    assert_kills_leave_nothing("postgres churn", Some(cache.path()), moments);
    assert_no_memory_left();
    make_templates(cache.path());
    let unfinished: Vec<String> = std::fs::read_dir(cache.path().join("templates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".making"))
        .collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

#[test]
fn the_template_is_private() {
    let cache = private_root();
    make_templates(cache.path());
    let templates = std::fs::read_dir(cache.path().join("templates")).unwrap();
    let dirs: Vec<_> = templates
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .collect();
    assert!(!dirs.is_empty());
    for dir in dirs {
        assert_eq!(dir.metadata().unwrap().mode() & 0o077, 0, "{dir:?}");
    }
}

//! However its process or the test's ends, nothing is left: no process, directory, socket, or System V memory.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use managed_daemons::PostgresDaemon;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{builder, start};
use crate::support::{assert_nothing_left, eventually, private_root};

/// Kills of a test process, at moments spread over a server's whole life.
const KILLS: u32 = 30;

/// Shared memory that no process has: segments of System V, and what PostgreSQL calls its objects of POSIX.
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
    // Those of others come and go.
    eventually("without abandoned memory", || match abandoned_memory() {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
}

#[test]
fn a_kill_leaves_no_shared_memory() {
    let daemon = start(builder());
    let id = segment(&daemon);
    assert!(has_segment(&id));
    daemon.kill().unwrap();
    assert!(!has_segment(&id));
    daemon.start_if_not_running().unwrap();
    let id = segment(&daemon);
    drop(daemon);
    assert!(!has_segment(&id));
}

#[test]
fn one_killed_from_outside_leaves_no_shared_memory() {
    let daemon = start(builder());
    let id = segment(&daemon);
    kill(Pid::from_raw(daemon.pid().unwrap() as i32), Signal::SIGKILL).unwrap();
    eventually("without the segment", || match has_segment(&id) {
        true => Err(()),
        false => Ok(()),
    });
}

#[test]
fn a_server_that_restarts_itself_leaves_no_shared_memory() {
    let daemon = start(builder());
    let before = segment(&daemon);
    let backend: i32 = super::value(
        &daemon,
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    )
    .parse()
    .unwrap();
    kill(Pid::from_raw(backend), Signal::SIGKILL).unwrap();
    // It drops all connections, makes new shared memory, and goes on.
    eventually("back", || match daemon.query("SELECT 1") {
        Ok(_) if segment(&daemon) != before => Ok(()),
        other => Err(other.map(|_| segment(&daemon))),
    });
    let after = segment(&daemon);
    drop(daemon);
    assert!(!has_segment(&before) && !has_segment(&after));
}

/// The segment's number, from the server's own notes.
fn segment(daemon: &PostgresDaemon) -> String {
    let notes = std::fs::read_to_string(daemon.working_dir().join("data/postmaster.pid")).unwrap_or_default();
    let line = notes.lines().nth(6).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn has_segment(id: &str) -> bool {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    table.lines().any(|line| line.split_whitespace().nth(1) == Some(id))
}

/// A test process of its own, with a root and a cache of its own.
struct Victim {
    root: tempfile::TempDir,
    child: Child,
}

impl Victim {
    fn start(cache: &Path) -> Self {
        let root = private_root();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "postgres::kills::victim"])
            .env("MANAGED_DAEMONS_TMPDIR", root.path())
            .env("MANAGED_DAEMONS_CACHE", cache)
            .env("MANAGED_DAEMONS_KEEP", "never")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { root, child }
    }

    fn wait_for(&mut self, word: &str) {
        let output = BufReader::new(self.child.stdout.as_mut().unwrap());
        assert!(output.lines().any(|line| line.unwrap() == word), "it never said {word}");
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{word}").and_then(|()| out.flush()).unwrap();
}

/// Everything a test does with servers, over and over, until it is killed.
#[test]
#[ignore = "to be killed by the tests here"]
fn victim() {
    say("begun");
    for _ in 0.. {
        let daemon = start(builder());
        let _ = daemon.query("CREATE TABLE t AS SELECT * FROM generate_series(1, 1000)");
        say("up");
        let _replica = daemon.replica();
        let _ = daemon.restart();
        let _ = daemon.kill();
        let _ = daemon.start_if_not_running();
    }
}

#[test]
fn a_killed_test_process_leaves_nothing_at_whatever_moment() {
    let cache = private_root();
    // With a template there, so that the kills are spread over the life of servers.
    let mut first = Victim::start(cache.path());
    first.wait_for("up");
    first.kill();
    assert_nothing_left(first.root.path());
    for number in 0..KILLS {
        let mut victim = Victim::start(cache.path());
        victim.wait_for("begun");
        std::thread::sleep(Duration::from_millis(u64::from(number * 13 % 400)));
        victim.kill();
        assert_nothing_left(victim.root.path());
    }
    assert_no_memory_left();
}

#[test]
fn one_killed_while_it_makes_a_template_leaves_nothing_and_the_next_one_makes_it() {
    let cache = private_root();
    for number in 0..8 {
        let mut victim = Victim::start(cache.path());
        victim.wait_for("begun");
        std::thread::sleep(Duration::from_millis(number * 250));
        victim.kill();
        assert_nothing_left(victim.root.path());
    }
    assert_no_memory_left();
    let mut last = Victim::start(cache.path());
    last.wait_for("up");
    last.kill();
    assert_nothing_left(last.root.path());
    let made: Vec<String> = std::fs::read_dir(cache.path().join("templates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".making"))
        .collect();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn the_template_is_private() {
    let cache = private_root();
    let mut victim = Victim::start(cache.path());
    victim.wait_for("up");
    victim.kill();
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

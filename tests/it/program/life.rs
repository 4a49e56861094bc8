//! What a handle does with any daemon.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use managed_daemons::CommandDaemon;

use super::{shell, unruly};
use crate::support::{assert_nothing_left, eventually_false, private_root, stop_and_start};

fn hello(daemon: &CommandDaemon) -> String {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream.write_all(b"HELLO\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn it_can_be_stopped_killed_paused_loaded_and_leaves_nothing() {
    let root = private_root();
    let daemon = unruly("well").temp_root(root.path()).start().unwrap();
    assert_eq!(hello(&daemon), "READY\n");
    stop_and_start(&daemon);
    daemon.kill().unwrap();
    assert!(!daemon.is_running());
    daemon.restart().unwrap();
    daemon.pause().unwrap();
    daemon.resume().unwrap();
    assert_eq!(hello(&daemon), "READY\n");
    let (port, dir) = (daemon.port(), daemon.detach().unwrap());
    let daemon = CommandDaemon::load(dir).unwrap();
    assert_eq!((daemon.port(), hello(&daemon).as_str()), (port, "READY\n"));
    // The options were saved, so it can be started again.
    daemon.restart().unwrap();
    assert_eq!(hello(&daemon), "READY\n");
    daemon.close().unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn what_forks_away_ends_with_it() {
    let root = private_root();
    for mode in ["double-fork", "child"] {
        unruly(mode).temp_root(root.path()).start().unwrap().close().unwrap();
        assert_nothing_left(root.path());
    }
}

#[test]
fn its_report_and_directory_have_the_name_of_the_program() {
    let daemon = unruly("well").start().unwrap();
    let report = daemon.report().to_string();
    assert!(report.starts_with("unruly, running, started "), "{report}");
    let name = daemon.working_dir().file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.contains("-unruly-"), "{name}");
}

#[test]
fn a_graceful_end_lets_it_write_what_it_has_to() {
    let dir = tempfile::tempdir().unwrap();
    let note = dir.path().join("note");
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let script = format!(
        "trap 'echo written >{}; exit' TERM; touch ready; sleep 100 & wait",
        note.display()
    );
    let daemon = shell(&script).ready_file("ready").graceful().start().unwrap();
    daemon.close().unwrap();
    assert_eq!(std::fs::read_to_string(note).unwrap(), "written\n");
}

#[test]
fn one_that_ignores_the_stop_signal_is_killed() {
    let root = private_root();
    let daemon = unruly("ignore-term")
        .temp_root(root.path())
        .stop_timeout(std::time::Duration::from_millis(100))
        .graceful()
        .start()
        .unwrap();
    let error = daemon.stop().unwrap_err().to_string();
    assert!(
        error.contains("unruly: did not stop when told to within 100ms; it was killed"),
        "{error}"
    );
    daemon.close().unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn one_that_ends_later_has_ended_whatever_it_leaves_running() {
    let root = private_root();
    let script = "mkfifo end; setsid sleep 1000 & touch ready; read line < end";
    let daemon = shell(script)
        .ready_file("ready")
        .temp_root(root.path())
        .start()
        .unwrap();
    std::fs::write(daemon.working_dir().join("end"), "now\n").unwrap();
    eventually_false("running", || daemon.is_running());
    let report = daemon.report().to_string();
    assert!(
        report.starts_with("sh, ended by itself with exit status: 0"),
        "{report}"
    );
    daemon.restart().unwrap();
    assert!(daemon.is_running());
    daemon.close().unwrap();
    assert_nothing_left(root.path());
}

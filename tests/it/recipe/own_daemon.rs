//! A daemon that is defined in another crate can do what the framework's own daemons can.

use std::path::PathBuf;

use managed_daemons::{with_daemon, DaemonPart};
use managed_daemons_tests::{processes_of, Unruly, UnrulyDaemon};

use crate::support::{private_root, unruly, unruly_program};

#[with_daemon(UnrulyDaemon, binary = unruly_program(), with(|unruly| unruly.mode("tame")))]
#[test]
fn the_attribute_starts_a_daemon_of_another_crate(daemon: UnrulyDaemon) {
    assert_eq!(daemon.ask("PID").unwrap(), daemon.pid().unwrap().to_string());
}

#[test]
fn typed_methods_and_options_survive_a_load() {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = unruly("ignore-term").working_dir(&dir).start().unwrap();
    let address = daemon.address();
    daemon.kill().unwrap();
    drop(daemon);
    let loaded = UnrulyDaemon::load(&dir).unwrap();
    loaded.start_if_not_running().unwrap();
    assert_eq!(loaded.address(), address);
    let conf = std::fs::read_to_string(dir.join("service.conf")).unwrap();
    assert!(conf.starts_with("ignore-term\n"), "{conf}");
    loaded.destroy().unwrap();
}

#[test]
fn a_part_is_removed_with_its_handle() {
    let start = || {
        let builder = DaemonPart::<Unruly>::builder().server(|builder| builder.binary(unruly_program()));
        builder.start().unwrap()
    };
    let parts = [start(), start(), start(), start()];
    let dirs = parts.each_ref().map(|part| PathBuf::from(part.url()));
    assert!(dirs.iter().all(|dir| dir.is_dir()));
    assert!(parts
        .iter()
        .all(|part| part.server().port() == parts[0].server().port()));
    let [dropped, closed, dropped_without, closed_without] = parts;
    drop(dropped);
    assert_eq!(dirs.each_ref().map(|dir| dir.exists()), [false, true, true, true]);
    closed.close().unwrap();
    assert_eq!(dirs.each_ref().map(|dir| dir.exists()), [false, false, true, true]);
    // What can't be removed fails no test, but who closes it is told.
    dirs[2..].iter().for_each(|dir| std::fs::remove_dir(dir).unwrap());
    drop(dropped_without);
    let error = closed_without.close().unwrap_err().to_string();
    assert!(
        error.contains("remove") && error.contains(&*dirs[3].to_string_lossy()),
        "{error}"
    );
}

#[test]
fn children_and_grandchildren_end_with_the_daemon() {
    for mode in ["double-fork", "child"] {
        let daemon = unruly(mode).start().unwrap();
        let dir = daemon.working_dir().to_path_buf();
        assert_eq!(processes_of(&dir).len(), 2, "{mode}: {:?}", processes_of(&dir));
        daemon.kill().unwrap();
        assert_eq!(processes_of(&dir), [], "{mode}");
        daemon.start_if_not_running().unwrap();
        drop(daemon);
        assert_eq!(processes_of(&dir), [], "{mode}");
    }
}

#[test]
fn a_daemon_that_stops_listening_still_runs_and_can_be_restarted() {
    let daemon = unruly("tame").start().unwrap();
    daemon.ask("CLOSE").unwrap();
    assert!(daemon.ask("HELLO").is_err());
    assert!(daemon.is_running());
    daemon.restart().unwrap();
    assert_eq!(daemon.ask("HELLO").unwrap(), "READY");
}

#[test]
fn a_flood_of_output_blocks_nothing() {
    let daemon = unruly("flood").start().unwrap();
    assert_eq!(daemon.ask("HELLO").unwrap(), "READY");
    assert!(daemon.log().unwrap().len() <= 1024 * 1024 + 4);
}

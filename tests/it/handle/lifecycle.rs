//! What a user does with a handle, from start to drop.

use std::time::Duration;

use managed_daemons::{with_redis, ManagedDaemonError, RedisDaemon};
use managed_daemons_tests::{leftovers, processes_of};

use crate::support::{assert_nothing_left, connect, eventually_false, get, private_root, set, stop_and_start, unruly};

#[with_redis]
#[test]
fn data_and_port_survive_a_stop(daemon: RedisDaemon) {
    set(&daemon, "foo", "bar").unwrap();
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
    stop_and_start(&daemon);
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
}

#[with_redis]
#[test]
fn a_restart_keeps_data_and_port_but_not_the_process(daemon: RedisDaemon) {
    let (port, pid) = (daemon.port(), daemon.pid());
    set(&daemon, "foo", "bar").unwrap();
    daemon.restart().unwrap();
    assert_eq!(daemon.port(), port);
    assert_ne!(daemon.pid(), pid);
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
}

#[with_redis]
#[test]
fn a_kill_loses_what_was_not_saved(daemon: RedisDaemon) {
    set(&daemon, "unsaved", "1").unwrap();
    daemon.kill().unwrap();
    assert!(!daemon.is_running());
    daemon.kill().unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(get(&daemon, "unsaved").unwrap(), None);
}

#[with_redis]
#[test]
fn a_paused_daemon_is_silent_until_resumed(daemon: RedisDaemon) {
    let mut connection = connect(&daemon).unwrap();
    connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    daemon.pause().unwrap();
    assert!(daemon.is_running());
    assert!(redis::cmd("PING").query::<String>(&mut connection).is_err());
    daemon.resume().unwrap();
    assert_eq!(
        redis::cmd("PING")
            .query::<String>(&mut connect(&daemon).unwrap())
            .unwrap(),
        "PONG"
    );
}

#[with_redis]
#[test]
fn a_paused_daemon_can_be_stopped(daemon: RedisDaemon) {
    set(&daemon, "foo", "bar").unwrap();
    daemon.pause().unwrap();
    daemon.stop().unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
}

#[with_redis]
#[test]
fn methods_that_need_a_running_daemon_say_so(daemon: RedisDaemon) {
    daemon.stop().unwrap();
    for (result, verb) in [(daemon.pause(), "pause"), (daemon.resume(), "resume")] {
        let message = result.unwrap_err().to_string();
        assert!(
            message.contains(verb) && message.contains("start_if_not_running"),
            "{message}"
        );
    }
    let message = daemon.reload().unwrap_err().to_string();
    assert!(message.contains("restart"), "{message}");
}

#[test]
fn a_dropped_daemon_leaves_nothing() {
    let root = private_root();
    let daemon = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let dir = daemon.working_dir().to_path_buf();
    assert!(dir.join("service.json").is_file());
    assert!(!processes_of(&dir).is_empty());
    drop(daemon);
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

#[test]
fn close_and_destroy_leave_nothing() {
    let root = private_root();
    RedisDaemon::builder()
        .temp_root(root.path())
        .start()
        .unwrap()
        .close()
        .unwrap();
    RedisDaemon::builder()
        .temp_root(root.path())
        .start()
        .unwrap()
        .destroy()
        .unwrap();
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

#[test]
fn a_users_directory_keeps_the_data_and_can_be_loaded() {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    let (port, url) = (daemon.port(), daemon.url());
    set(&daemon, "foo", "bar").unwrap();
    drop(daemon);
    assert!(processes_of(root.path()).is_empty());
    assert!(dir.join("dump.rdb").is_file());

    let daemon = RedisDaemon::load(&dir).unwrap();
    assert!(!daemon.is_running());
    assert!(daemon.start_if_not_running().unwrap());
    assert_eq!((daemon.port(), daemon.url()), (port, url));
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
    daemon.destroy().unwrap();
    assert!(!dir.exists());
}

#[test]
fn a_second_start_in_a_users_directory_finds_port_password_and_data() {
    let root = private_root();
    let dir = root.path().join("mine");
    let first = RedisDaemon::builder()
        .working_dir(&dir)
        .extra_user("app", "a b\"c")
        .start()
        .unwrap();
    let (port, url) = (first.port(), first.url());
    set(&first, "foo", "bar").unwrap();
    first.close().unwrap();
    let second = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    assert_eq!((second.port(), second.url()), (port, url));
    assert_eq!(get(&second, "foo").unwrap().as_deref(), Some("bar"));
    let third = RedisDaemon::builder().working_dir(&dir).start().unwrap_err().report();
    assert!(third.contains("in use by another handle"), "{third}");
    second.close().unwrap();
    let third = RedisDaemon::builder()
        .working_dir(&dir)
        .password("new")
        .start()
        .unwrap();
    assert_eq!(third.password(), Some("new"));
    assert_eq!(get(&third, "foo").unwrap().as_deref(), Some("bar"));
}

#[test]
fn a_detached_daemon_runs_on_and_can_be_loaded() {
    let root = private_root();
    let daemon = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let (pid, port) = (daemon.pid(), daemon.port());
    set(&daemon, "foo", "bar").unwrap();
    let dir = daemon.detach().unwrap();
    let loaded = RedisDaemon::load(&dir).unwrap();
    assert_eq!((loaded.pid(), loaded.port()), (pid, port));
    assert_eq!(get(&loaded, "foo").unwrap().as_deref(), Some("bar"));
    let busy = RedisDaemon::load(&dir).unwrap_err().report();
    assert!(busy.contains("in use by another handle"), "{busy}");
    loaded.restart().unwrap();
    assert_eq!(loaded.port(), port);
    assert_eq!(get(&loaded, "foo").unwrap().as_deref(), Some("bar"));
    loaded.destroy().unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn a_loaded_daemon_leaves_nothing() {
    let root = private_root();
    let daemon = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let loaded = RedisDaemon::load(daemon.detach().unwrap()).unwrap();
    assert!(loaded.is_running());
    drop(loaded);
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

#[test]
fn a_configured_daemon_can_be_started_later() {
    let configured = RedisDaemon::builder().configure().unwrap();
    let (dir, url) = (configured.working_dir().to_path_buf(), configured.url());
    assert!(!configured.is_running());
    assert!(dir.join("service.conf").is_file());
    let daemon = configured.start().unwrap();
    assert_eq!(daemon.url(), url);
    assert!(daemon.is_running());
    drop(daemon);
    let dropped = RedisDaemon::builder().configure().unwrap().working_dir().to_path_buf();
    assert!(!dropped.exists());
}

#[test]
fn a_daemon_that_ignores_the_stop_signal_is_killed_with_an_error() {
    let daemon = unruly("ignore-term")
        .stop_timeout(Duration::from_millis(200))
        .start()
        .unwrap();
    let error = daemon.stop().unwrap_err();
    assert!(matches!(error, ManagedDaemonError::Timeout { .. }), "{error:?}");
    assert!(error.to_string().contains("it was killed"), "{error}");
    assert!(!daemon.is_running());
    assert!(processes_of(daemon.working_dir()).is_empty());
    assert!(daemon.start_if_not_running().unwrap());
}

#[test]
fn a_daemon_that_exits_by_itself_is_not_running() {
    let daemon = unruly("tame").start().unwrap();
    daemon.ask("EXIT").unwrap();
    eventually_false("running", || daemon.is_running());
    assert!(daemon.start_if_not_running().unwrap());
    assert_eq!(daemon.ask("HELLO").unwrap(), "READY");
}

#[test]
fn the_log_the_binary_and_its_version_can_be_read() {
    let daemon = RedisDaemon::start().unwrap();
    let log = daemon.log().unwrap();
    assert!(log.contains("Ready to accept connections"), "{log}");
    assert!(daemon.binary().ends_with("redis-server"), "{:?}", daemon.binary());
    assert!(log.contains(daemon.version()), "{} {log}", daemon.version());
}

#[test]
fn a_time_out_may_be_of_any_length() {
    let root = private_root();
    let patient = RedisDaemon::builder()
        .start_timeout(Duration::MAX)
        .stop_timeout(Duration::MAX);
    let daemon = patient.working_dir(root.path().join("kept")).start().unwrap();
    daemon.stop().unwrap();
    daemon.start_if_not_running().unwrap();
    daemon.close().unwrap();
}

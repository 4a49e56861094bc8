//! What `load` refuses, and what it leaves alone.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::Command;

use managed_daemons::RedisDaemon;
use managed_daemons_tests::{leftovers, UnrulyDaemon};

use crate::support::{private_root, start_failure, unruly};

#[test]
fn a_directory_without_a_daemon_is_refused() {
    let root = private_root();
    let missing = root.path().join("missing");
    std::fs::write(root.path().join("file"), "").unwrap();
    for dir in [root.path(), &missing, &root.path().join("file")] {
        let report = start_failure(RedisDaemon::load(dir));
        assert!(report.contains("service.json"), "{report}");
    }
    assert!(!missing.exists());
}

#[test]
fn a_damaged_or_foreign_service_json_is_refused_and_left_alone() {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    daemon.close().unwrap();
    let file = dir.join("service.json");
    let good = std::fs::read_to_string(&file).unwrap();
    for (bad, named) in [
        (good[..good.len() / 2].to_owned(), "truncated or damaged"),
        (String::new(), "truncated or damaged"),
        (
            good.replace("\"redis\"", "\"postgres\""),
            "belongs to a postgres daemon",
        ),
        (good.replace("\"format\": 1", "\"format\": 2"), "reads up to 1"),
        (good.replace("\"password\": \"", "\"passwort\": \""), "settings"),
        (good.replace("\"main\"", "\"other\""), "names no port"),
    ] {
        assert_ne!(bad, good);
        std::fs::write(&file, &bad).unwrap();
        let loaded = start_failure(RedisDaemon::load(&dir));
        assert!(loaded.contains(named), "no {named:?} in {loaded}");
        if named != "names no port" {
            let started = start_failure(RedisDaemon::builder().working_dir(&dir).start());
            assert!(started.contains(named), "no {named:?} in {started}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), bad);
    }
    std::fs::write(&file, good).unwrap();
    assert!(UnrulyDaemon::load(&dir)
        .unwrap_err()
        .to_string()
        .contains("belongs to a redis daemon"));
    assert!(RedisDaemon::load(&dir).unwrap().start_if_not_running().unwrap());
}

#[test]
fn a_process_of_somebody_else_is_neither_adopted_nor_killed() {
    let root = private_root();
    let dir = root.path().join("mine");
    RedisDaemon::builder()
        .working_dir(&dir)
        .start()
        .unwrap()
        .close()
        .unwrap();
    let mut stranger = Command::new("sleep").arg("3600").spawn().unwrap();
    let file = dir.join("service.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let process = format!(
        "{{\"pid\": {}, \"started\": 1, \"boot\": \"{}\"}}",
        stranger.id(),
        boot.trim()
    );
    std::fs::write(
        &file,
        text.replace("\"process\": null", &format!("\"process\": {process}")),
    )
    .unwrap();
    let daemon = RedisDaemon::load(&dir).unwrap();
    assert!(!daemon.is_running());
    daemon.kill().unwrap();
    daemon.start_if_not_running().unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_loaded_daemon_has_the_time_outs_of_its_builder() {
    let dir = unruly("ignore-term").start().unwrap().detach().unwrap();
    let patience = std::time::Duration::from_millis(50);
    let daemon = UnrulyDaemon::builder().stop_timeout(patience).load(dir).unwrap();
    let error = daemon.stop().unwrap_err().to_string();
    assert_eq!(error, "unruly: did not stop when told to within 50ms; it was killed");
    daemon.close().unwrap();
}

/// The state that `/proc` shows is that of the first thread.
#[cfg(target_os = "linux")]
#[test]
fn a_daemon_whose_first_thread_has_ended_is_still_running() {
    let root = private_root();
    let daemon = unruly("first-thread-ends").temp_root(root.path()).start().unwrap();
    let port = daemon.port();
    let loaded = UnrulyDaemon::load(daemon.detach().unwrap()).unwrap();
    assert!(loaded.is_running());
    loaded.destroy().unwrap();
    assert_eq!(
        TcpStream::connect(("127.0.0.1", port)).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

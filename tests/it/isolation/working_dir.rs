//! The working directory is private, wherever it is. And what can't be one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use managed_daemons::{with_redis, RedisDaemon};
use serde_json::Value;

use crate::support::{connect, get, is_root, private_root, set, start_failure, Mount};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

#[with_redis]
#[test]
fn the_working_directory_is_private_and_describes_the_daemon(daemon: RedisDaemon) {
    let dir = daemon.working_dir();
    assert_eq!(mode(dir), 0o700);
    for name in ["service.conf", "service.json", "service.log", "service.pid"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
    let pid = std::fs::read_to_string(dir.join("service.pid")).unwrap();
    assert_eq!(pid.trim(), daemon.pid().unwrap().to_string());
    let file: Value = serde_json::from_slice(&std::fs::read(dir.join("service.json")).unwrap()).unwrap();
    assert_eq!(file["kind"], "redis");
    assert_eq!(file["format"], 1);
    assert_eq!(file["host"], "127.0.0.1");
    assert_eq!(file["ports"]["main"], daemon.port());
    assert_eq!(file["process"]["pid"], daemon.pid().unwrap());
    assert_eq!(file["settings"]["password"], daemon.password().unwrap());
    assert!(file["binary"]["path"].as_str().unwrap().ends_with("redis-server"));
    redis::cmd("SAVE").query::<()>(&mut connect(&daemon).unwrap()).unwrap();
    assert!(dir.join("dump.rdb").is_file());
    daemon.stop().unwrap();
    assert!(!dir.join("service.pid").exists());
    let file: Value = serde_json::from_slice(&std::fs::read(dir.join("service.json")).unwrap()).unwrap();
    assert_eq!(file["process"], Value::Null);
}

#[test]
fn a_file_or_somebody_elses_directory_is_refused() {
    let root = private_root();
    let file = root.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    let report = start_failure(RedisDaemon::builder().working_dir(&file).start());
    assert!(report.contains("not a directory"), "{report}");
    let report = start_failure(RedisDaemon::builder().working_dir(root.path()).start());
    assert!(report.contains("is not empty"), "{report}");
    let report = start_failure(RedisDaemon::builder().working_dir(file.join("below")).start());
    assert!(report.contains("below"), "{report}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn a_directory_that_the_daemon_cannot_use_is_refused() {
    let root = private_root();
    let closed = root.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(
        &closed,
        std::fs::Permissions::from_mode(if is_root() { 0o700 } else { 0o500 }),
    )
    .unwrap();
    let report = start_failure(RedisDaemon::builder().working_dir(closed.join("mine")).start());
    let named = if is_root() {
        "can't be reached by user `nobody`"
    } else {
        "Permission denied"
    };
    assert!(report.contains(named) && report.contains("closed"), "{report}");
    if !is_root() {
        let report = start_failure(RedisDaemon::builder().working_dir(&closed).start());
        assert!(report.contains("not writable"), "{report}");
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_path_too_long_for_a_socket_gets_a_socket_elsewhere() {
    let root = private_root();
    let dir = root.path().join("long".repeat(50));
    let daemon = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    assert!(daemon.unix_socket().as_os_str().len() <= 107);
    let socket = daemon.unix_socket().to_path_buf();
    let mut connection = redis::Client::open(daemon.unix_socket_url())
        .unwrap()
        .get_connection()
        .unwrap();
    assert_eq!(redis::cmd("PING").query::<String>(&mut connection).unwrap(), "PONG");
    daemon.restart().unwrap();
    assert!(socket.exists());
    daemon.close().unwrap();
    assert!(!socket.parent().unwrap().exists());
    assert!(dir.join("dump.rdb").is_file());
}

#[test]
fn any_bytes_can_be_a_path() {
    let root = private_root();
    for name in [
        &b"with space and \"quotes\""[..],
        b"line\nfeed#",
        b"\xff\xfe not utf-8",
        "ünï".as_bytes(),
    ] {
        let dir = root.path().join(OsStr::from_bytes(name));
        let daemon = RedisDaemon::builder().working_dir(&dir).start().unwrap();
        set(&daemon, "foo", "bar").unwrap();
        daemon.close().unwrap();
        assert!(dir.join("dump.rdb").is_file(), "{dir:?}");
        let daemon = RedisDaemon::load(&dir).unwrap();
        daemon.start_if_not_running().unwrap();
        assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
    }
}

#[test]
fn the_error_names_a_missing_root_for_temporary_files() {
    let report = start_failure(RedisDaemon::builder().temp_root("/nonexistent/tmp").start());
    assert!(report.contains("/nonexistent/tmp"), "{report}");
}

#[test]
fn a_root_for_temporary_files_that_the_daemons_user_cannot_enter_is_refused() {
    if !is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let report = start_failure(RedisDaemon::builder().temp_root(closed.path()).start());
    assert!(report.contains("can't be reached by user `nobody`"), "{report}");
    assert!(
        report.contains(closed.path().to_str().unwrap()) && report.contains("0700"),
        "{report}"
    );
    assert_eq!(std::fs::read_dir(closed.path()).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_reported_and_nothing_is_left() {
    // Mounting takes root.
    if !is_root() {
        return;
    }
    let mount = Mount::new("size=64k");
    std::fs::write(mount.path().join("filler"), vec![1_u8; 60 * 1024]).unwrap();
    let report = start_failure(RedisDaemon::builder().temp_root(mount.path()).start());
    assert!(report.contains("No space left on device"), "{report}");
    let left: Vec<_> = std::fs::read_dir(mount.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["filler"]);
}

/// Daemons run as another user than root, and may put anything into their directories.
#[test]
fn root_follows_no_link_in_a_directory_of_the_daemons_user() {
    if !is_root() {
        return;
    }
    let root = private_root();
    let dir = root.path().join("kept");
    let builder = || RedisDaemon::builder().working_dir(&dir);
    builder().start().unwrap().close().unwrap();
    let precious = root.path().join("precious");
    std::fs::write(&precious, "kept").unwrap();
    std::fs::set_permissions(&precious, std::fs::Permissions::from_mode(0o600)).unwrap();
    let put_link = |name: &str| {
        let path = dir.join(name);
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink(&precious, path).unwrap();
    };
    let assert_untouched = || {
        let found = std::fs::metadata(&precious).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o600));
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "kept");
    };
    for name in ["service.conf", "service.json.new", "service.pid"] {
        put_link(name);
    }
    let daemon = builder().start().unwrap();
    assert_untouched();
    // The log, which is added to, is refused.
    put_link("service.log");
    let report = daemon.restart().unwrap_err().report();
    assert!(
        report.contains("service.log") && report.contains("it is a link"),
        "{report}"
    );
    assert_untouched();
    std::fs::remove_file(dir.join("service.log")).unwrap();
    std::fs::hard_link(&precious, dir.join("service.log")).unwrap();
    let report = daemon.restart().unwrap_err().report();
    assert!(report.contains("it is also at another path"), "{report}");
    assert_untouched();
    std::fs::remove_file(dir.join("service.log")).unwrap();
    daemon.restart().unwrap();
    assert_untouched();
}

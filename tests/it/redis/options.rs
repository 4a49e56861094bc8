//! Bad input gets one clear error, or a working daemon; never an injected line, never a panic.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use managed_daemons::{ManagedDaemonError, MySqlDaemon, PostgresDaemon, RedisDaemon};
use managed_daemons_tests::UnrulyDaemon;

use crate::support::{connect, get, is_root, private_root, set};

/// Strings that mean something to a configuration file, a shell, a URL or a protocol.
const NASTY: &[&str] = &[
    "two words",
    "\"quoted\"",
    "a'b",
    "back\\slash\\",
    "line\nport 1",
    "carriage\r\nreturn",
    "# no comment",
    "tab\there",
    "%41@:/?#[]",
    "$HOME `id` $(id)",
    "ünïcödé ✓",
    "\u{1}\u{7f}",
    " ",
];

fn problem<D: Debug>(result: Result<D, ManagedDaemonError>) -> String {
    let error = result.unwrap_err();
    if let ManagedDaemonError::Start { kept: Some(dir), .. } = &error {
        std::fs::remove_dir_all(dir).unwrap();
    }
    error.report()
}

#[test]
fn any_password_works_as_it_is() {
    for password in NASTY {
        let daemon = RedisDaemon::builder().password(*password).start().unwrap();
        set(&daemon, "foo", "bar").unwrap();
        assert_eq!(daemon.password(), Some(*password));
        let mut by_socket = redis::Client::open(daemon.unix_socket_url())
            .unwrap()
            .get_connection()
            .unwrap();
        let value: String = redis::cmd("GET").arg("foo").query(&mut by_socket).unwrap();
        assert_eq!(value, "bar");
        daemon.restart().unwrap();
        let dir = daemon.detach().unwrap();
        let loaded = RedisDaemon::load(dir).unwrap();
        assert_eq!(get(&loaded, "foo").unwrap().as_deref(), Some("bar"), "{password:?}");
    }
}

#[test]
fn any_users_password_works_as_it_is() {
    for password in NASTY {
        let daemon = RedisDaemon::builder().user("app#1\"x", *password).start().unwrap();
        let mut connection = connect(&daemon).unwrap();
        let answer: String = redis::cmd("AUTH")
            .arg("app#1\"x")
            .arg(*password)
            .query(&mut connection)
            .unwrap();
        assert_eq!(answer, "OK", "{password:?}");
        let me: String = redis::cmd("ACL").arg("WHOAMI").query(&mut connection).unwrap();
        assert_eq!(me, "app#1\"x");
    }
}

#[test]
fn what_redis_could_not_take_is_refused_with_a_reason() {
    let builder = RedisDaemon::builder;
    for (result, named) in [
        (builder().password("nul\0").start(), "`password`"),
        (builder().password("").start(), "without_password"),
        (builder().user("two words", "x").start(), "`user`"),
        (builder().user("line\nfeed", "x").start(), "`user`"),
        (builder().user("default", "x").start(), "`user`"),
        (builder().user("nul", "\0").start(), "`user`"),
        (builder().directive("", "x").start(), "no directive"),
        (builder().directive("max memory", "1").start(), "no directive"),
        (builder().directive("maxmemory\nport", "1").start(), "no directive"),
        (builder().directive("maxmemory", "\0").start(), "NUL"),
        (builder().directive("maxmemory", "\"1").start(), "not closed"),
        (builder().directive("maxmemory", "\"1\"2").start(), "followed by more"),
        (builder().directive("port", "1").start(), "use `port`"),
        (builder().directive("RequirePass", "1").start(), "use `password`"),
        (builder().directive("dir", "/").start(), "use `working_dir`"),
    ] {
        let problem = problem(result);
        assert!(problem.contains(named), "no {named:?} in {problem}");
    }
}

#[test]
fn a_line_feed_in_a_directive_is_a_space_and_no_new_line() {
    let daemon = RedisDaemon::builder().directive("save", "3600\n1").start().unwrap();
    let saved: Vec<String> = redis::cmd("CONFIG")
        .arg("GET")
        .arg("save")
        .query(&mut connect(&daemon).unwrap())
        .unwrap();
    assert_eq!(saved, ["save", "3600 1"]);
    let problem = problem(
        RedisDaemon::builder()
            .directive("maxmemory", "1mb\nmaxclients 5")
            .start(),
    );
    assert!(problem.contains("maxmemory"), "{problem}");
}

#[test]
fn directives_are_in_effect() {
    let daemon = RedisDaemon::builder()
        .directive("maxmemory", "8mb")
        .directive("client-output-buffer-limit", "normal 1mb 0 0")
        .directive("appendonly", "yes")
        .start()
        .unwrap();
    let ask = |name: &str| -> Vec<String> {
        redis::cmd("CONFIG")
            .arg("GET")
            .arg(name)
            .query(&mut connect(&daemon).unwrap())
            .unwrap()
    };
    assert_eq!(ask("maxmemory")[1], "8388608");
    assert!(ask("client-output-buffer-limit")[1].starts_with("normal 1048576 0 0"));
    assert_eq!(ask("appendonly")[1], "yes");
}

#[test]
fn a_directory_that_holds_no_daemon_can_not_be_loaded() {
    let root = private_root();
    let missing = root.path().join("missing");
    std::fs::write(root.path().join("file"), "").unwrap();
    for dir in [root.path(), &missing, &root.path().join("file")] {
        let problem = problem(RedisDaemon::load(dir));
        assert!(problem.contains("service.json"), "{problem}");
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
        (good.replace("\"redis\"", "\"postgres\""), "of a postgres daemon"),
        (good.replace("\"format\": 1", "\"format\": 2"), "reads up to 1"),
        (good.replace("\"password\": \"", "\"passwort\": \""), "settings"),
        (good.replace("\"main\"", "\"other\""), "names no port"),
    ] {
        assert_ne!(bad, good);
        std::fs::write(&file, &bad).unwrap();
        let loaded = problem(RedisDaemon::load(&dir));
        assert!(loaded.contains(named), "no {named:?} in {loaded}");
        if named != "names no port" {
            let started = problem(RedisDaemon::builder().working_dir(&dir).start());
            assert!(started.contains(named), "no {named:?} in {started}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), bad);
    }
    std::fs::write(&file, good).unwrap();
    assert!(UnrulyDaemon::load(&dir)
        .unwrap_err()
        .to_string()
        .contains("of a redis daemon"));
    assert!(RedisDaemon::load(&dir).unwrap().start_if_not_running().unwrap());
}

#[test]
fn a_pid_of_somebody_else_is_neither_taken_over_nor_signalled() {
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
fn a_working_directory_that_is_none_is_refused() {
    let root = private_root();
    let file = root.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    let report = problem(RedisDaemon::builder().working_dir(&file).start());
    assert!(report.contains("not a directory"), "{report}");
    let report = problem(RedisDaemon::builder().working_dir(root.path()).start());
    assert!(report.contains("is not empty"), "{report}");
    let report = problem(RedisDaemon::builder().working_dir(file.join("below")).start());
    assert!(report.contains("below"), "{report}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn a_working_directory_that_can_not_be_written_or_reached_is_refused() {
    let root = private_root();
    let closed = root.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(
        &closed,
        std::fs::Permissions::from_mode(if is_root() { 0o700 } else { 0o500 }),
    )
    .unwrap();
    let report = problem(RedisDaemon::builder().working_dir(closed.join("mine")).start());
    let named = if is_root() {
        "can't be reached by user `nobody`"
    } else {
        "Permission denied"
    };
    assert!(report.contains(named) && report.contains("closed"), "{report}");
    if !is_root() {
        let report = problem(RedisDaemon::builder().working_dir(&closed).start());
        assert!(report.contains("not writable"), "{report}");
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_path_too_long_for_a_socket_gets_a_short_one_elsewhere() {
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
fn spaces_quotes_and_bytes_that_are_no_text_in_a_path_are_fine() {
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
fn a_port_taken_on_purpose_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let report = problem(RedisDaemon::builder().port(port).start());
    assert!(
        report.contains(&format!("port {port}: another program listens on it")),
        "{report}"
    );
    drop(taken);
    let daemon = RedisDaemon::builder().port(port).start().unwrap();
    assert_eq!(daemon.port(), port);
    let report = problem(RedisDaemon::builder().port(port).start());
    assert!(report.contains(&format!("port {port}")), "{report}");
}

#[test]
fn a_root_for_temporary_files_that_is_not_there_is_named() {
    let report = problem(RedisDaemon::builder().temp_root("/nonexistent/tmp").start());
    assert!(report.contains("/nonexistent/tmp"), "{report}");
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    // Mounting takes root; an ordinary user's run has everything else of this module.
    if !is_root() {
        return;
    }
    let mount = Mount::new("size=64k");
    std::fs::write(mount.path().join("filler"), vec![1_u8; 60 * 1024]).unwrap();
    let report = problem(RedisDaemon::builder().temp_root(mount.path()).start());
    assert!(report.contains("No space left on device"), "{report}");
    let left: Vec<_> = std::fs::read_dir(mount.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["filler"]);
}

/// The data are copied while the server starts: what is said is what keeps them from being there, not what it makes of that.
#[test]
fn a_disk_that_the_data_do_not_fit_on_is_told_at_once() {
    if !is_root() {
        return;
    }
    // Their templates need more room than there will be.
    drop(PostgresDaemon::start().unwrap());
    drop(MySqlDaemon::start().unwrap());
    let mount = Mount::new("size=3m");
    let postgres = PostgresDaemon::builder().temp_root(mount.path());
    let mysql = MySqlDaemon::builder().temp_root(mount.path());
    let patience = Duration::from_secs(600);
    for report in [
        problem(postgres.start_timeout(patience).start()),
        problem(mysql.start_timeout(patience).start()),
    ] {
        assert!(report.contains("could not copy the template to"), "{report}");
        assert!(report.contains("No space left on device"), "{report}");
    }
    assert_eq!(std::fs::read_dir(mount.path()).unwrap().count(), 0);
}

/// A small file system of its own.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Self {
        let dir = private_root();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(dir.path())
            .status();
        assert!(status.unwrap().success());
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(status.unwrap().success());
    }
}

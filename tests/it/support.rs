//! What the tests of several modules need.

mod confined;
mod mount;
mod run;
mod victim;

use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use managed_daemons::{Builder, Daemon, ManagedDaemon, ManagedDaemonError, Phase, RedisDaemon};
use managed_daemons_tests::{leftovers, processes_of, Unruly, UnrulyDaemon};
use tempfile::TempDir;

pub(crate) use confined::{assert_starts, failure_below, start, DAEMONS};
pub(crate) use mount::Mount;
pub(crate) use run::{Run, Sharer};
pub(crate) use victim::{assert_kills_leave_nothing, victim_command, Victim};

/// How long a test waits for a condition before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether this run is one without fast paths: see `Builder::plain`.
pub(crate) fn is_plain_run() -> bool {
    std::env::var_os("MANAGED_DAEMONS_PLAIN").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Whether tests with large downloads run too, as in `.ci/provision full`.
pub(crate) fn is_full_run() -> bool {
    std::env::var_os("MANAGED_DAEMONS_TEST_FULL").is_some()
}

/// Whether daemons are fetched from the distribution here.
pub(crate) fn has_apt() -> bool {
    Path::new("/usr/bin/apt-get").exists()
}

/// A time-out that is longer than any test may take. So a start that fails has not waited for it.
pub(crate) const FAR: Duration = Duration::from_secs(3600);

/// Waits until a condition holds, and fails with its last error if it never does.
#[track_caller]
pub(crate) fn eventually<T: std::fmt::Debug>(what: &str, mut holds: impl FnMut() -> Result<(), T>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match holds() {
            Ok(()) => return,
            Err(error) if Instant::now() >= deadline => panic!("never {what}: {error:#?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Waits until a list is empty, and fails with what is still in it if it never is.
#[track_caller]
pub(crate) fn eventually_empty<T: std::fmt::Debug>(what: &str, mut list: impl FnMut() -> Vec<T>) {
    eventually(what, || match list() {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
}

/// Waits until a condition no longer holds, and fails if it always does.
#[track_caller]
pub(crate) fn eventually_false(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while holds() {
        assert!(Instant::now() < deadline, "still {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until nothing is left below `root`.
#[track_caller]
pub(crate) fn assert_nothing_left(root: &Path) {
    eventually_empty("clean", || leftovers(root));
}

/// Waits until no process uses anything below `dir`.
#[track_caller]
pub(crate) fn assert_no_process_left(dir: &Path) {
    eventually_empty("without processes", || processes_of(dir));
}

/// A directory for the temporary files of one test, open to the user that daemons run as.
pub(crate) fn private_root() -> TempDir {
    let parent = Path::new("/dev/shm");
    let parent = if parent.is_dir() {
        parent.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    tempfile::Builder::new()
        .prefix("md-test-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .unwrap()
}

/// A builder for the misbehaving daemon, in one of its modes.
pub(crate) fn unruly(mode: &str) -> Builder<Unruly> {
    UnrulyDaemon::builder()
        .binary(unruly_program())
        .with(|unruly| unruly.mode(mode))
}

/// Stops a daemon twice and starts it twice. The second time changes nothing.
#[track_caller]
pub(crate) fn stop_and_start<D: Daemon>(daemon: &ManagedDaemon<D>) {
    let port = daemon.port();
    daemon.stop().unwrap();
    assert!(!daemon.is_running());
    assert_eq!(daemon.pid(), None);
    let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    daemon.stop().unwrap();
    assert!(daemon.start_if_not_running().unwrap());
    assert!(!daemon.start_if_not_running().unwrap());
    assert_eq!(daemon.port(), port);
}

/// The report of a start that failed. The directory that it kept is removed.
#[track_caller]
pub(crate) fn start_failure<T: std::fmt::Debug>(result: Result<T, ManagedDaemonError>) -> String {
    let error = result.unwrap_err();
    if let ManagedDaemonError::Start { kept: Some(dir), .. } = &error {
        std::fs::remove_dir_all(dir).unwrap();
    }
    error.report()
}

/// The report of a start that failed in this phase.
#[track_caller]
pub(crate) fn failure_in<D: Daemon>(in_phase: Phase, builder: Builder<D>) -> String {
    let result = builder.start();
    match &result {
        Err(ManagedDaemonError::Start { phase, .. }) => assert_eq!(*phase, in_phase, "{result:?}"),
        other => panic!("{other:?}"),
    }
    start_failure(result)
}

pub(crate) fn connect(daemon: &RedisDaemon) -> redis::RedisResult<redis::Connection> {
    redis::Client::open(daemon.url())?.get_connection()
}

pub(crate) fn get(daemon: &RedisDaemon, key: &str) -> redis::RedisResult<Option<String>> {
    redis::cmd("GET").arg(key).query(&mut connect(daemon)?)
}

pub(crate) fn set(daemon: &RedisDaemon, key: &str, value: &str) -> redis::RedisResult<()> {
    redis::cmd("SET").arg(key).arg(value).query(&mut connect(daemon)?)
}

/// A daemon's value of a setting.
pub(crate) fn config(daemon: &RedisDaemon, setting: &str) -> String {
    let mut connection = connect(daemon).unwrap();
    let command = redis::cmd("CONFIG").arg(&["GET", setting]).query(&mut connection);
    let (_, value): (String, String) = command.unwrap();
    value
}

/// A directory with these files; and the path of the one with this name.
pub(crate) fn deploy(name: &str, files: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let path = dir.path().join(name);
    (dir, path)
}

/// What advice begins with that takes root, as this user reads it.
pub(crate) fn sudo() -> &'static str {
    match is_root() {
        true => "",
        false => "sudo ",
    }
}

/// Whether the tests run as root. Daemons run as another user then.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The path of a program of this crate.
///
/// Cargo sets it when it builds the tests. nextest sets a variable instead if it has unpacked them
/// elsewhere.
macro_rules! program {
    ($name:literal) => {
        std::env::var_os(concat!("NEXTEST_BIN_EXE_", $name)).map_or_else(
            || std::path::PathBuf::from(env!(concat!("CARGO_BIN_EXE_", $name))),
            std::path::PathBuf::from,
        )
    };
}
pub(crate) use program;

/// The program of the misbehaving daemon.
pub(crate) fn unruly_program() -> PathBuf {
    program!("unruly")
}

/// The command that runs the tests with this name, or with names that contain it, in a process of
/// its own.
pub(crate) fn run_tests(name: &str, root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(name).env("MANAGED_DAEMONS_TMPDIR", root);
    command
}

/// The socket of the keeper that works with this root.
pub(crate) fn socket_of_keeper(root: &Path) -> PathBuf {
    let table = managed_daemons_tests::unix_sockets();
    let paths = table.lines().filter_map(|line| line.split_whitespace().nth(7));
    let is_keepers = |path: &&str| path.starts_with(&*root.to_string_lossy()) && path.ends_with("/socket");
    paths
        .map(Path::new)
        .find(|path| is_keepers(&&*path.to_string_lossy()))
        .unwrap()
        .to_path_buf()
}

/// Another one each time, and named when the test fails.
pub(crate) fn seed() -> u64 {
    let named = std::env::var("MANAGED_DAEMONS_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = named.unwrap_or_else(|| fastrand::u64(..));
    println!("MANAGED_DAEMONS_TEST_SEED={seed}");
    seed
}

//! What several modules need: a root of their own to look for leftovers in, waiting for a condition, a Redis client.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use managed_daemons::{Builder, RedisDaemon};
use managed_daemons_tests::{leftovers, Unruly, UnrulyDaemon};
use tempfile::TempDir;

/// How long anything may take before a test says that it does not happen. Never waited for when it does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A start time-out that no test lives to see: whoever fails before it has not waited for it.
pub(crate) const FAR: Duration = Duration::from_secs(3600);

/// Waits until the condition holds, and fails with its last answer when it does not.
#[track_caller]
pub(crate) fn eventually<T: std::fmt::Debug>(what: &str, mut holds: impl FnMut() -> Result<(), T>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match holds() {
            Ok(()) => return,
            Err(answer) if Instant::now() >= deadline => panic!("never {what}: {answer:#?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Waits until nothing is left below `root`.
#[track_caller]
pub(crate) fn assert_nothing_left(root: &Path) {
    eventually("clean", || match leftovers(root) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
}

/// A directory for the temporary files of one test, which the daemons' user can pass through.
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

/// The misbehaving daemon, in this mode.
pub(crate) fn unruly(mode: &str) -> Builder<Unruly> {
    use managed_daemons_tests::UnrulyOptions;
    UnrulyDaemon::builder().binary(unruly_program()).mode(mode)
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

/// Whether the tests run as root, whose daemons run as somebody else.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Where the misbehaving daemon's program is: nextest says so when the tests were built elsewhere.
pub(crate) fn unruly_program() -> std::path::PathBuf {
    std::env::var_os("NEXTEST_BIN_EXE_unruly").map_or_else(|| env!("CARGO_BIN_EXE_unruly").into(), Into::into)
}

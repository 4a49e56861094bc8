//! However a test process ends, nothing of ours is left: looked for in `/proc` and in the root of the temporary files.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use managed_daemons::RedisDaemon;
use managed_daemons_tests::{leftovers, processes_of};
use nix::sys::signal::{kill, killpg, Signal};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::{assert_nothing_left, eventually, get, private_root};

/// At least 200 kills of a real test process, at moments spread over its whole life.
const KILLS: u32 = 200;

/// A process that runs one of `victims`, with a root of its own.
pub(crate) struct Victim {
    root: TempDir,
    own: TempDir,
    pub(crate) child: Child,
}

impl Victim {
    pub(crate) fn start(name: &str) -> Self {
        let (root, own) = (private_root(), private_root());
        // Who starts the tests in the background has them ignore signals, and all that they start.
        let child = Command::new("env")
            .arg("--default-signal=HUP,INT,QUIT,TERM")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", &format!("victims::{name}")])
            .env("MANAGED_DAEMONS_TMPDIR", root.path())
            .env("MANAGED_DAEMONS_KEEP", "never")
            .env("VICTIM_DIR", own.path().join("redis"))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { root, own, child }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Waits until it says this word.
    pub(crate) fn wait_for(&mut self, word: &str) {
        let output = BufReader::new(self.child.stdout.as_mut().unwrap());
        assert!(
            output.lines().any(|line| line.unwrap() == word),
            "it ended before it said {word}"
        );
    }

    /// The pid of its reaper, by the variable the reaper was started with.
    fn reaper(&self) -> Option<i32> {
        let marker = format!("MANAGED_DAEMONS_REAPER={}:", self.child.id());
        processes_of(self.root.path())
            .into_iter()
            .map(|(pid, _)| pid)
            .find(|pid| {
                let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environment
                    .windows(marker.len())
                    .any(|window| window == marker.as_bytes())
            })
    }

    #[track_caller]
    pub(crate) fn leaves_nothing(mut self) {
        let _ = self.child.wait();
        self.nothing_is_left();
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        assert_nothing_left(self.root.path());
        // The user's own directory stays; nothing runs there.
        eventually("idle", || match processes_of(self.own.path()) {
            left if left.is_empty() => Ok(()),
            left => Err(left),
        });
        assert!(!self.own.path().join("redis/service.pid").exists());
    }
}

#[test]
fn after_an_orderly_end_nothing_is_left_the_moment_the_process_is_gone() {
    for name in ["passes", "panics", "fails", "exits"] {
        let mut victim = Victim::start(name);
        victim.child.wait().unwrap();
        assert_eq!(leftovers(victim.root.path()), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn after_abort() {
    Victim::start("aborts").leaves_nothing();
}

#[test]
fn after_sigkill_data_in_a_users_directory_are_kept() {
    let mut victim = Victim::start("waits");
    victim.wait_for("waiting");
    assert!(
        processes_of(victim.root.path()).len() >= 5,
        "{:?}",
        processes_of(victim.root.path())
    );
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    victim.nothing_is_left();
    let own = RedisDaemon::load(victim.own.path().join("redis")).unwrap();
    own.start_if_not_running().unwrap();
    assert_eq!(get(&own, "kept").unwrap().as_deref(), Some("yes"));
}

#[test]
fn after_signals_to_the_whole_process_group() {
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGKILL,
    ] {
        let mut victim = Victim::start("waits");
        victim.wait_for("waiting");
        killpg(victim.pid(), signal).unwrap();
        victim.leaves_nothing();
    }
}

#[test]
fn after_abort_with_a_forked_child_that_holds_every_descriptor() {
    let mut victim = Victim::start("forks");
    victim.child.wait().unwrap();
    eventually("clean", || {
        match std::fs::read_dir(victim.root.path()).unwrap().count() {
            0 => Ok(()),
            left => Err(left),
        }
    });
    // The child is alive, and was not waited for.
    assert_ne!(processes_of(victim.root.path()), []);
    victim.nothing_is_left();
}

#[test]
fn after_sigkill_at_any_moment() {
    // From before the first daemon to well into the loop: a start takes about 10 ms.
    for kill in 0..KILLS {
        let mut victim = Victim::start("churns");
        victim.wait_for("main");
        std::thread::sleep(Duration::from_micros(u64::from(kill) * 400));
        victim.child.kill().unwrap();
        victim.leaves_nothing();
    }
}

#[test]
fn a_killed_reaper_is_replaced_at_the_next_start() {
    let mut victim = Victim::start("churns");
    victim.wait_for("main");
    let mut killed = None;
    for _ in 0..5 {
        let mut reaper = None;
        eventually("served by a new reaper", || {
            reaper = victim.reaper().filter(|pid| Some(*pid) != killed);
            reaper.ok_or("none").map(drop)
        });
        kill(Pid::from_raw(reaper.unwrap()), Signal::SIGKILL).unwrap();
        killed = reaper;
    }
    eventually("served by a new reaper", || {
        victim
            .reaper()
            .filter(|pid| Some(*pid) != killed)
            .ok_or("none")
            .map(drop)
    });
    victim.child.kill().unwrap();
    victim.leaves_nothing();
}

#[test]
fn what_is_left_when_the_reaper_is_killed_too_is_swept_by_the_next_start() {
    let mut victim = Victim::start("waits");
    victim.wait_for("waiting");
    let reaper = victim.reaper().unwrap();
    kill(Pid::from_raw(reaper), Signal::SIGKILL).unwrap();
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    assert!(!leftovers(victim.root.path()).is_empty());
    assert!(!processes_of(victim.own.path()).is_empty());
    start_and_drop_one_in(victim.root.path());
    victim.nothing_is_left();
    // It was stopped in good order, as it would have been otherwise.
    let own = RedisDaemon::load(victim.own.path().join("redis")).unwrap();
    own.start_if_not_running().unwrap();
    assert_eq!(get(&own, "kept").unwrap().as_deref(), Some("yes"));
}

#[test]
fn the_sweep_spares_the_living_and_the_detached_and_strangers() {
    let root = private_root();
    let alive = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let detached = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
    let detached_pid = detached.pid();
    let detached = detached.detach().unwrap();
    let strange = root.path().join("managed-daemons-notes");
    std::fs::create_dir(&strange).unwrap();
    let mut victim = Victim::start("waits");
    victim.wait_for("waiting");
    for _ in 0..3 {
        start_and_drop_one_in(root.path());
    }
    // The sweep of those has run: each reaper ends after it.
    eventually("swept", || {
        match processes_of(root.path()).iter().any(|(_, how)| how.contains("reaper")) {
            true => Err(processes_of(root.path())),
            false => Ok(()),
        }
    });
    assert!(alive.is_running() && strange.exists());
    let detached = RedisDaemon::load(&detached).unwrap();
    assert_eq!(detached.pid(), detached_pid);
    detached.destroy().unwrap();
    victim.child.kill().unwrap();
    victim.leaves_nothing();
}

/// Names of our making in a directory that everybody can write to, with what would hold up or feed a careless reader.
#[test]
fn a_sweep_is_not_held_up_by_what_somebody_has_put_in_its_way() {
    let root = private_root();
    let ours = root.path().join("managed-daemons-00000000-redis-abcdef");
    let open_to_others = root.path().join("managed-daemons-00000001-redis-abcdef");
    for (dir, mode) in [(&ours, 0o700), (&open_to_others, 0o755)] {
        std::fs::create_dir(dir).unwrap();
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
        nix::unistd::mkfifo(&dir.join("detached"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    std::os::unix::fs::symlink("/dev/zero", ours.join("note")).unwrap();
    start_and_drop_one_in(root.path());
    eventually("swept", || match processes_of(root.path()) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
    assert!(!ours.exists() && open_to_others.exists());
}

#[test]
fn what_is_detached_can_be_loaded_at_once_whoever_sweeps() {
    let root = private_root();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    start_and_drop_one_in(root.path());
                }
            });
        }
        let first = RedisDaemon::builder().temp_root(root.path()).start().unwrap();
        let pid = first.pid();
        let last = (0..2000).try_fold(first, |redis, _| RedisDaemon::load(redis.detach()?));
        done.store(true, Ordering::Relaxed);
        let redis = last.unwrap();
        assert_eq!(redis.pid(), pid);
    });
}

/// In another process, whose reaper sweeps `root`.
fn start_and_drop_one_in(root: &Path) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "victims::passes"])
        .env("MANAGED_DAEMONS_TMPDIR", root)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

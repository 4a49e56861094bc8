//! A process that a test starts, watches and kills.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use managed_daemons_tests::processes_of;
use nix::unistd::Pid;
use tempfile::TempDir;

use super::{assert_no_process_left, assert_nothing_left, private_root, program};

/// A running `victim`: see `src/bin/victim/main.rs`. It is killed when it is dropped.
pub(crate) struct Victim {
    root: TempDir,
    /// The parent of the working directory that outlives the victim.
    user_root: TempDir,
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Victim {
    /// Starts a victim, and waits until it has begun.
    #[track_caller]
    pub(crate) fn start(action: &str) -> Self {
        Self::start_with(action, None)
    }

    /// Starts a victim with a cache other than this process's, and waits until it has begun.
    #[track_caller]
    pub(crate) fn start_with_cache(action: &str, cache: &Path) -> Self {
        Self::start_with(action, Some(cache))
    }

    #[track_caller]
    fn start_with(action: &str, cache: Option<&Path>) -> Self {
        let (root, user_root) = (private_root(), private_root());
        let mut command = victim_command(action, root.path());
        command.env("VICTIM_DIR", user_root.path().join("kept"));
        command.envs(cache.map(|cache| ("MANAGED_DAEMONS_CACHE", cache)));
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut victim = Self {
            root,
            user_root,
            child,
            output,
        };
        victim.wait_for("begun");
        victim
    }

    /// The root of its temporary files.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The working directory that outlives it.
    pub(crate) fn user_dir(&self) -> PathBuf {
        self.user_root.path().join("kept")
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Its reaper, once there is one.
    pub(crate) fn reaper(&self) -> Option<Pid> {
        let variable = format!("MANAGED_DAEMONS_REAPER={}:", self.child.id());
        let is_reaper = |pid: &i32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut entries = environment.split(|byte| *byte == 0);
            entries.any(|entry| entry.starts_with(variable.as_bytes()))
        };
        let mut pids = processes_of(self.root()).into_iter().map(|(pid, _)| pid);
        pids.find(is_reaper).map(Pid::from_raw)
    }

    /// Waits until it prints this line, and returns the lines before it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.output.by_ref().lines() {
            match line.unwrap() {
                line if line == last => return lines,
                line => lines.push(line),
            }
        }
        panic!("it ended before it said `{last}`: {lines:#?}");
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its standard input, and waits until it ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// What it has said since the last line that was waited for. Waits until it has ended.
    pub(crate) fn rest_of_output(&mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Waits until it ends, and fails unless it succeeds.
    #[track_caller]
    pub(crate) fn assert_succeeds(mut self) {
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.rest_of_output());
    }

    /// Waits until nothing is left but the working directory that outlives it, without a daemon.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        assert_nothing_left(self.root());
        assert_no_process_left(self.user_root.path());
        assert!(!self.user_dir().join("service.pid").exists());
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that starts a victim with this root for its temporary files.
pub(crate) fn victim_command(action: &str, root: &Path) -> Command {
    // What a shell starts in the background ignores some signals, and so do its children.
    let mut command = Command::new("env");
    command
        .arg("--default-signal=HUP,INT,QUIT,TERM")
        .arg(program!("victim"))
        .args(action.split(' '))
        .env("MANAGED_DAEMONS_TMPDIR", root)
        .env("MANAGED_DAEMONS_KEEP", "never")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Kills a victim at each of these moments after its beginning, and fails if one leaves anything.
#[track_caller]
pub(crate) fn assert_kills_leave_nothing(
    action: &str,
    cache: Option<&Path>,
    moments: impl IntoIterator<Item = Duration>,
) {
    for moment in moments {
        let mut victim = Victim::start_with(action, cache);
        std::thread::sleep(moment);
        victim.kill();
        victim.assert_nothing_left();
    }
}

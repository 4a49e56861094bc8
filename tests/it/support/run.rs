//! A run of tests: a process with the name of a runner, which starts test processes.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use managed_daemons_tests::unix_sockets;
use nix::sys::signal::{kill, Signal};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, Pid};
use tempfile::TempDir;

use super::{assert_nothing_left, eventually, private_root, program, socket_of_keeper};

/// A runner that starts what it reads, in the background.
const SCRIPT: &str = "while read -r line; do eval \"$line\"; done; kill -9 $(jobs -p) 2>/dev/null; wait";

/// A runner. It is killed when it is dropped.
pub(crate) struct Run {
    /// The root of all temporary files.
    root: TempDir,
    /// What the test itself needs.
    files: TempDir,
    runner: Child,
    input: Option<ChildStdin>,
    started: usize,
}

/// A `sharer` of a run: see `src/bin/sharer.rs`.
pub(crate) struct Sharer {
    output: PathBuf,
    pid: Pid,
    input: Option<File>,
    read: usize,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With variables in the environment of all its processes.
    pub(crate) fn with_variable(name: &str, value: impl AsRef<OsStr>) -> Self {
        Self::with(|command| {
            command.env(name, value);
        })
    }

    /// With a change of the runner's command, whose environment all its processes have.
    pub(crate) fn with(change: impl FnOnce(&mut Command)) -> Self {
        let root = private_root();
        let files = private_root();
        let runner = files.path().join("cargo");
        symlink("/bin/bash", &runner).unwrap();
        let mut command = Command::new(&runner);
        command
            .args(["-c", SCRIPT])
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("NEXTEST_TEST_NAME")
            .env_remove("MANAGED_DAEMONS_MAX")
            .env("MANAGED_DAEMONS_TMPDIR", root.path())
            .stdin(Stdio::piped());
        change(&mut command);
        let mut runner = command.spawn().unwrap();
        let input = runner.stdin.take();
        Self {
            root,
            files,
            runner,
            input,
            started: 0,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Starts a `sharer` that does this.
    #[track_caller]
    pub(crate) fn start(&mut self, action: &str) -> Sharer {
        self.start_through(action, "")
    }

    /// Starts a `sharer` through a command, such as `setsid --fork`, or with variables before it.
    #[track_caller]
    pub(crate) fn start_through(&mut self, action: &str, before: &str) -> Sharer {
        self.start_command(&format!("{before} {} {action}", program!("sharer").display()))
    }

    /// Starts the tests with this name, or with names that contain it, instead of a `sharer`.
    #[track_caller]
    pub(crate) fn start_tests(&mut self, name: &str) -> Sharer {
        let program = std::env::current_exe().unwrap();
        self.start_command(&format!("{} {name} --nocapture", program.display()))
    }

    #[track_caller]
    fn start_command(&mut self, command: &str) -> Sharer {
        self.started += 1;
        let path = |name: &str| self.files.path().join(format!("{name}-{}", self.started));
        let (input, output, pid_file) = (path("input"), path("output"), path("pid"));
        mkfifo(&input, Mode::S_IRWXU).unwrap();
        let line = format!(
            "{command} <{} >{output} 2>{output}.errors & echo $! >{}\n",
            input.display(),
            pid_file.display(),
            output = output.display(),
        );
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
        // Waits until the shell opens it as well.
        let input = OpenOptions::new().write(true).open(input).unwrap();
        let mut pid = 0;
        eventually("got its pid", || {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            pid = text.strip_suffix('\n').and_then(|pid| pid.parse().ok()).ok_or(text)?;
            Ok::<(), String>(())
        });
        Sharer {
            output,
            pid: Pid::from_raw(pid),
            input: Some(input),
            read: 0,
        }
    }

    /// The keepers of this run: those that work with its root.
    pub(crate) fn keepers(&self) -> Vec<Pid> {
        let processes = managed_daemons_tests::processes_of(self.root());
        let is_keeper = |pid: &i32| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            arguments.starts_with(b"managed-daemons-keeper\0")
        };
        processes
            .into_iter()
            .map(|(pid, _)| pid)
            .filter(is_keeper)
            .map(Pid::from_raw)
            .collect()
    }

    /// Waits until so many processes are connected to the keeper.
    #[track_caller]
    pub(crate) fn wait_until_connected(&self, count: usize) {
        let socket = socket_of_keeper(self.root()).display().to_string();
        eventually("connected", || {
            let table = unix_sockets();
            // The one that listens is not a connection; a connected one has the state 03.
            let is_connection = |line: &&str| line.ends_with(&socket) && line.split_whitespace().nth(5) == Some("03");
            let connected = table.lines().filter(is_connection).count();
            if connected >= count {
                Ok(())
            } else {
                Err(connected)
            }
        });
    }

    /// Ends the runner, and waits until it is gone.
    pub(crate) fn end(&mut self) {
        self.input = None;
        self.runner.wait().unwrap();
    }

    /// Kills the runner.
    pub(crate) fn kill(&mut self) {
        self.runner.kill().unwrap();
        self.runner.wait().unwrap();
    }

    /// Waits until nothing is left.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        assert_nothing_left(self.root());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.runner.kill();
        let _ = self.runner.wait();
    }
}

impl Sharer {
    /// The next line that it prints.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut found = String::new();
        eventually("printed a line", || {
            found = self.printed().ok_or("nothing")?;
            Ok::<(), &str>(())
        });
        self.read += 1;
        found
    }

    /// The next line, if it has printed one.
    pub(crate) fn printed(&self) -> Option<String> {
        let text = fs::read_to_string(&self.output).unwrap_or_default();
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        complete.lines().nth(self.read).map(str::to_owned)
    }

    /// Whether it has printed so many lines.
    pub(crate) fn has_printed(&self, lines: usize) -> bool {
        let text = fs::read_to_string(&self.output).unwrap_or_default();
        text.matches('\n').count() >= lines
    }

    /// What it has written to standard error.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(self.output.with_extension("errors")).unwrap_or_default()
    }

    /// Lets it go on.
    pub(crate) fn go_on(&mut self) {
        self.input.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Lets it end, and waits until it has.
    #[track_caller]
    pub(crate) fn end(mut self) {
        self.input = None;
        self.wait();
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    #[track_caller]
    pub(crate) fn kill(self) {
        kill(self.pid, Signal::SIGKILL).unwrap();
        self.wait();
    }

    /// Stops it with SIGSTOP, and waits until its first thread has stopped, which is the one that asks.
    #[track_caller]
    pub(crate) fn halt(&self) {
        kill(self.pid, Signal::SIGSTOP).unwrap();
        self.wait_for_state("halted", &['T', 'Z', 'X']);
    }

    #[track_caller]
    fn wait(&self) {
        self.wait_for_state("ended", &['Z', 'X']);
    }

    /// Waits until it is in one of these states of `/proc/[pid]/stat`: X if it is gone.
    #[track_caller]
    fn wait_for_state(&self, what: &str, wanted: &[char]) {
        eventually(what, || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
            let state = stat
                .rsplit_once(") ")
                .map_or('X', |(_, rest)| rest.chars().next().unwrap_or('X'));
            match wanted.contains(&state) {
                true => Ok(()),
                false => Err(state),
            }
        });
    }
}

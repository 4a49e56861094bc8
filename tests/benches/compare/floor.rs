//! The floor: a bare loop starts the same binary with the same settings on a prepared directory,
//! and waits for its first answer. No code of the framework runs while the time is measured.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use managed_daemons_tests::processes_of;
use nix::sys::signal::{killpg, Signal};
use nix::unistd::Pid;
use tokio::runtime::Runtime;

use crate::client::{Client, Failure};
use crate::recorded::Commands;
use crate::subject::Times;

/// The pause between two attempts: the framework begins with the same.
const PAUSE: Duration = Duration::from_micros(250);
/// The bare loop gives up after this time.
const TOO_LONG: Duration = Duration::from_secs(60);

/// Everything the bare loop needs to run one daemon.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) commands: Commands,
    pub(crate) client: Client,
    /// The user and the group that the daemon ran as.
    pub(crate) ids: (u32, u32),
    dir: PathBuf,
    /// The copy that each start begins with.
    prepared: tempfile::TempDir,
}

impl Floor {
    /// Copies the working directory of a daemon that has shut down cleanly.
    pub(crate) fn new(commands: Commands, client: Client, ids: (u32, u32), dir: &Path) -> Result<Self, Failure> {
        // On the same file system, so that copying back stays in memory if the daemons are there.
        let beside = dir.parent().ok_or("the working directory has no parent directory")?;
        let floor = Self {
            commands,
            client,
            ids,
            dir: dir.to_path_buf(),
            prepared: tempfile::Builder::new().prefix("md-bench-").tempdir_in(beside)?,
        };
        copy(&floor.dir, floor.prepared.path())?;
        Ok(floor)
    }

    /// Measures one start, up to the first answer, and one removal.
    pub(crate) fn run(&self, runtime: &Runtime) -> Result<Times, Failure> {
        self.prepare()?;
        let log = fs::File::create(self.dir.join("floor.log"))?;
        let mut command = self.commands.serve.command();
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.give_up_root(&mut command);

        let begin = Instant::now();
        let mut child = command.spawn()?;
        let started = self.wait_for_answer(runtime, &mut child, begin);
        let start = begin.elapsed();
        let segment = self.segment_to_remove();

        let begin = Instant::now();
        let group = Pid::from_raw(child.id() as i32);
        let _ = killpg(group, Signal::SIGKILL);
        child.wait()?;
        // The workers are not our children: the init process of the benchmark reaps them.
        while killpg(group, None).is_ok() && begin.elapsed() < TOO_LONG {
            std::thread::yield_now();
        }
        let removed = empty(&self.dir);
        let removal = begin.elapsed();

        started?;
        self.wait_for_strays();
        // Those processes may have written more files, whose removal is not measured.
        removed.or_else(|_| empty(&self.dir))?;
        if let Some(id) = segment {
            Command::new("ipcrm").args(["-m", &id]).stderr(Stdio::null()).status()?;
        }
        Ok(Times { start, removal })
    }

    /// Runs the binary only to print its version.
    pub(crate) fn exec(&self, args: &[&str]) -> Result<Duration, Failure> {
        let mut command = self.commands.binary.command();
        command.args(args);
        self.time_of(command)
    }

    /// Boots Erlang and halts it.
    pub(crate) fn exec_erlang(&self) -> Result<Duration, Failure> {
        let mut recording = self.commands.serve.clone();
        recording.args = ["-noshell", "-noinput", "-boot", "start_clean", "-eval", "halt()."]
            .map(Into::into)
            .to_vec();
        recording
            .envs
            .retain(|(name, _)| name != "ERL_LIBS" && name != "ERL_AFLAGS");
        self.time_of(recording.command())
    }

    fn time_of(&self, mut command: Command) -> Result<Duration, Failure> {
        self.prepare()?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.give_up_root(&mut command);
        let begin = Instant::now();
        let status = command.status()?;
        let took = begin.elapsed();
        match status.success() {
            true => Ok(took),
            false => Err(format!("{command:?}: {status}").into()),
        }
    }

    fn wait_for_answer(&self, runtime: &Runtime, child: &mut Child, begin: Instant) -> Result<(), Failure> {
        loop {
            let Err(error) = self.client.ask(runtime) else {
                return Ok(());
            };
            if let Some(status) = child.try_wait()? {
                let log = fs::read_to_string(self.dir.join("floor.log")).unwrap_or_default();
                return Err(format!("the daemon exited with {status}: {log}").into());
            }
            if begin.elapsed() > TOO_LONG {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn give_up_root(&self, command: &mut Command) {
        if nix::unistd::geteuid().is_root() && self.ids.0 != 0 {
            command.gid(self.ids.1).uid(self.ids.0);
        }
    }

    fn prepare(&self) -> Result<(), Failure> {
        empty(&self.dir)?;
        copy(self.prepared.path(), &self.dir)
    }

    /// PostgreSQL's System V shared memory segment, which outlives a killed server.
    fn segment_to_remove(&self) -> Option<String> {
        let lock = fs::read_to_string(self.dir.join("data/postmaster.pid")).ok()?;
        Some(lock.lines().nth(6)?.split_whitespace().nth(1)?.to_owned())
    }

    /// Waits for the processes outside the group: they exit once they see that the first is gone.
    fn wait_for_strays(&self) {
        while !processes_of(&self.dir).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let status = Command::new("cp").arg("-aT").arg(from).arg(to).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("copying {} failed", from.display()).into()),
    }
}

/// Empties a directory but keeps it: the lock that marks its owner is on the directory itself.
fn empty(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

//! The floor: a bare loop runs the same programs with the same arguments, variables and
//! directories. No code of the framework runs between the spawn and the end.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use managed_daemons::{Daemon, ManagedDaemon, Result};
use nix::sys::signal::killpg;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::recorded::Recorded;

/// The pause between two attempts to reach a daemon: the framework begins with the same.
const PAUSE: Duration = Duration::from_micros(250);
/// The bare loop gives up on a daemon after this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The request to a daemon, the check of a ready daemon's answer, and the signal that ends it
/// fastest.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) request: Vec<u8>,
    pub(crate) answer: fn(&[u8]) -> bool,
    pub(crate) end: Signal,
}

/// A bare loop, which starts one daemon again and again, each time in a fresh copy of its
/// directory.
pub(crate) struct BareLoop<D: Daemon> {
    /// The handle keeps the port reserved, and removes the directory in the end.
    _daemon: ManagedDaemon<Recorded<D>>,
    command: Command,
    dir: PathBuf,
    /// Copies of the directory, one per start, made in advance.
    copies: Vec<PathBuf>,
    port: u16,
    question: Question,
}

impl<D: Daemon> BareLoop<D> {
    /// Starts a daemon with the framework, stops it, and makes `starts` copies of its directory in
    /// `store`.
    pub(crate) fn prepare(starts: usize, root: &Path, store: &Path, question: fn(&D) -> Question) -> Result<Self> {
        let daemon = ManagedDaemon::<Recorded<D>>::builder().temp_root(root).start()?;
        let dir = daemon.working_dir().to_path_buf();
        // The first start does extra work, so the floor repeats a later one.
        daemon.restart()?;
        daemon.stop()?;
        let commands = daemon.commands();
        let mut command = commands.map_or_else(|| Command::new("false"), |commands| commands.serve.command());
        let owner = fs::metadata(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        command.process_group(0);
        if nix::unistd::geteuid().is_root() {
            command.gid(owner.gid()).uid(owner.uid());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let copies = (0..starts)
            .map(|number| {
                let copy = store.join(format!("{}-{number}", daemon.port()));
                let copied = Command::new("cp").arg("-a").arg(&dir).arg(&copy).status();
                assert!(
                    copied.is_ok_and(|status| status.success()),
                    "can't copy {}",
                    dir.display()
                );
                copy
            })
            .collect();
        let (port, question) = (daemon.port(), question(&daemon));
        Ok(Self {
            _daemon: daemon,
            command,
            dir,
            copies,
            port,
            question,
        })
    }

    /// Replaces the directory with the next copy, starts the daemon, waits until it answers, and
    /// ends it.
    pub(crate) fn cycle(&mut self) -> io::Result<()> {
        let copy = self.copies.pop().ok_or_else(|| io::Error::other("no copy left"))?;
        fs::remove_dir_all(&self.dir)?;
        fs::rename(&copy, &self.dir)?;
        let mut child = self.command.spawn()?;
        let deadline = Instant::now() + PATIENCE;
        while !self.answers() {
            if Instant::now() > deadline {
                return Err(io::Error::other("the daemon does not answer"));
            }
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("the daemon has ended: {status}")));
            }
            std::thread::sleep(PAUSE);
        }
        let group = Pid::from_raw(child.id() as i32);
        killpg(group, self.question.end)?;
        child.wait()?;
        // A worker that is still alive holds the port, and the next daemon would wait for it.
        while killpg(group, None).is_ok() {
            if Instant::now() > deadline {
                return Err(io::Error::other("the daemon's workers do not end"));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        let mut answer = [0; 512];
        if stream.write_all(&self.question.request).is_err() {
            return false;
        }
        stream
            .read(&mut answer)
            .is_ok_and(|count| (self.question.answer)(&answer[..count]))
    }
}

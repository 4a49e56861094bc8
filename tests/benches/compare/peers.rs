//! The peers: other tools that start daemons for tests, each used as its documentation recommends, and
//! our own `CommandDaemon`, which knows nothing of the daemon.
//! Each runs in its own process, which does one start and removal per command.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Failure;
use crate::subject::Times;

mod crates;

pub(crate) use crates::serve;

/// Another tool that does the same job for one of the daemons.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) daemon: &'static str,
    /// The target: its start and removal take at least this multiple of ours.
    pub(crate) target: Option<f64>,
    kind: Kind,
    on_tmpfs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A crate, which this program uses in a process of its own.
    Crate,
    /// A Python package, used by `peers.py` beside this file.
    Python,
    /// A command that runs another command. The whole run is measured and compared with a
    /// command that uses ours.
    Whole,
}

pub(crate) const PEERS: &[Peer] = &[
    peer("CommandDaemon", "redis", None, Kind::Crate),
    peer("redis-test", "redis", Some(1.5), Kind::Crate),
    peer("testing.redis", "redis", Some(8.0), Kind::Python),
    peer("pifpaf run redis", "redis", None, Kind::Whole),
    peer("pgtemp", "postgres", Some(20.0), Kind::Crate),
    peer("tmp-postgrust", "postgres", Some(25.0), Kind::Crate),
    Peer {
        on_tmpfs: true,
        ..peer("tmp-postgrust, on tmpfs", "postgres", Some(2.5), Kind::Crate)
    },
    peer("testing.postgresql", "postgres", None, Kind::Python),
    peer("testing.postgresql, cached", "postgres", Some(12.0), Kind::Python),
    peer("pytest-postgresql", "postgres", None, Kind::Whole),
    peer("pifpaf run postgresql", "postgres", None, Kind::Whole),
    peer("testing.mysqld", "mysql", None, Kind::Python),
    peer("pifpaf run mysql", "mysql", Some(10.0), Kind::Whole),
    peer("pifpaf run rabbitmq", "rabbitmq", Some(10.0), Kind::Whole),
];

const fn peer(name: &'static str, daemon: &'static str, target: Option<f64>, kind: Kind) -> Peer {
    Peer {
        name,
        daemon,
        target,
        kind,
        on_tmpfs: false,
    }
}

/// Where `--install-peers` installs the Python packages.
pub(crate) fn python_home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers")
}

/// Installs the Python packages into a virtual environment of this program.
pub(crate) fn install() -> Result<(), Failure> {
    let home = python_home();
    // Prefers the system's Python: other users may have no access to another one.
    let system = Path::new("/usr/bin/python3");
    let python = if system.exists() { system } else { Path::new("python3") };
    run(Command::new(python).args(["-m", "venv", "--without-pip"]).arg(&home))?;
    run(Command::new("python3")
        .args(["-m", "pip", "--python"])
        .arg(home.join("bin/python"))
        .args([
            "install",
            "--quiet",
            "testing.redis",
            "testing.postgresql",
            "testing.mysqld",
            "pytest-postgresql",
            "psycopg[binary]",
            "pifpaf",
            // Some of the packages above import it without declaring it.
            "setuptools<80",
        ]))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {status}").into()),
    }
}

/// A peer's running process.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Closing it ends the process.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Whether a whole command is measured, for the peer and for ours.
    pub(crate) fn is_whole(&self) -> bool {
        self.kind == Kind::Whole
    }

    /// Starts the process and runs one cycle, which fills its caches and shows whether it works.
    pub(crate) fn open(&self) -> Result<Running, Failure> {
        let mut command = match self.kind {
            Kind::Crate => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--serve-peer").arg(self.name);
                command
            }
            Kind::Python | Kind::Whole => {
                let home = python_home();
                if !home.exists() {
                    return Err("the Python packages are not installed: run with `--install-peers`".into());
                }
                let mut command = Command::new(home.join("bin/python"));
                command.args(["-c", include_str!("peers.py"), self.name]);
                let path = std::env::var_os("PATH").unwrap_or_default();
                let mut paths = OsString::from(home.join("bin"));
                paths.push(":");
                paths.push(path);
                command.env("PATH", paths);
                command
            }
        };
        if self.on_tmpfs {
            command.env("TMPDIR", "/dev/shm");
        }
        if nix::unistd::geteuid().is_root() && self.daemon != "redis" {
            // The servers refuse to run as root, and the peers do not change the user.
            command.uid(65534).gid(65534).env("HOME", "/tmp").current_dir("/tmp");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the process has no pipes".into());
        };
        let mut running = Running {
            child,
            commands: Some(commands),
            answers: BufReader::new(answers),
        };
        running.cycle()?;
        Ok(running)
    }
}

impl Running {
    /// Does one start and removal.
    pub(crate) fn cycle(&mut self) -> Result<Times, Failure> {
        let commands = self.commands.as_mut().ok_or("the process has been closed")?;
        commands.write_all(b"go\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let mut numbers = line.split_whitespace().map(str::parse::<f64>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(start)), Some(Ok(removal))) => Ok(Times {
                start: Duration::from_secs_f64(start),
                removal: Duration::from_secs_f64(removal),
            }),
            _ if line.is_empty() => Err("the process ended without an answer".into()),
            _ => Err(line.trim().into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.child.wait();
    }
}

/// Measures a process that starts and removes one daemon, from its start to its exit.
pub(crate) fn our_whole_command(subject: &str) -> Result<Times, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--whole").arg(subject);
    let begin = Instant::now();
    run(&mut command)?;
    Ok(Times {
        start: begin.elapsed(),
        removal: Duration::ZERO,
    })
}

//! A daemon defined outside of the framework, by its public interface alone: a small program that misbehaves on request.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use managed_daemons::{Builder, Daemon, Installation, Instance, ManagedDaemon, ManagedDaemonError, Readiness, Result};
use serde_json::{json, Value};

/// The handle of the misbehaving daemon.
pub type UnrulyDaemon = ManagedDaemon<Unruly>;

/// The recipe of the misbehaving daemon.
#[derive(Debug, Default)]
pub struct Unruly {
    mode: Option<String>,
    port: u16,
}

/// Its options.
pub trait UnrulyOptions {
    /// How it misbehaves; see `src/bin/unruly.rs`.
    #[must_use]
    fn mode(self, mode: impl Into<String>) -> Self;
}

impl UnrulyOptions for Builder<Unruly> {
    fn mode(mut self, mode: impl Into<String>) -> Self {
        self.recipe_mut().mode = Some(mode.into());
        self
    }
}

impl Unruly {
    /// Where it listens.
    pub fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    /// Sends it a line and gives its answer.
    ///
    /// # Errors
    /// When it can't be reached, or says nothing for a second.
    pub fn ask(&self, line: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }
}

impl Daemon for Unruly {
    const NAME: &'static str = "unruly";

    fn installation(&self) -> Installation {
        Installation::new("unruly", "unruly")
    }

    fn configure(&mut self, instance: &Instance) -> Result<()> {
        self.port = instance.port();
        let mode = self.mode.get_or_insert_with(|| String::from("tame"));
        if mode.contains('\n') {
            return Err(ManagedDaemonError::InvalidOption {
                daemon: Self::NAME,
                option: "mode",
                problem: String::from("is one line"),
            });
        }
        instance
            .write("service.conf", format!("{mode}\n{}\n", self.port))
            .map(drop)
    }

    fn command(&self, instance: &Instance) -> Result<Command> {
        let mut command = instance.command();
        command.arg("service.conf");
        Ok(command)
    }

    fn probe(&self, _instance: &Instance) -> Readiness {
        match self.ask("HELLO") {
            Ok(answer) if answer == "READY" => Readiness::Ready,
            Ok(answer) => Readiness::NotYet(format!("it said {answer:?}")),
            Err(error) => Readiness::NotYet(error.to_string()),
        }
    }

    fn settings(&self) -> Value {
        json!({ "mode": self.mode })
    }

    fn restore(&mut self, settings: &Value) -> Result<(), String> {
        if self.mode.is_none() {
            let mode = settings.get("mode").and_then(Value::as_str);
            self.mode = Some(mode.ok_or("should have a `mode`")?.to_owned());
        }
        Ok(())
    }
}

/// Everything below `root` that a run should not have left: directories, sockets, and processes in any way tied to it.
///
/// Looks for itself, with none of the framework's code. A process that has ended and that init has not collected yet is
/// not one any more.
pub fn leftovers(root: &Path) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(root)
        .map(|listing| {
            listing
                .flatten()
                .map(|entry| format!("{}", entry.path().display()))
                .collect()
        })
        .unwrap_or_default();
    found.extend(
        processes_of(root)
            .iter()
            .map(|(pid, how)| format!("process {pid}: {how}")),
    );
    let sockets = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let root = root.to_string_lossy();
    found.extend(
        sockets
            .lines()
            .filter(|line| line.contains(&*root))
            .map(|line| format!("socket {line}")),
    );
    found
}

/// The processes whose command line, environment, directory or open files name `root`, except for this one and its reaper.
pub fn processes_of(root: &Path) -> Vec<(i32, String)> {
    let my_reaper = format!("MANAGED_DAEMONS_REAPER={}:", std::process::id());
    let name = root.as_os_str().as_encoded_bytes();
    let holds = |bytes: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if pid == std::process::id() as i32 {
            continue;
        }
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let stat = read("stat");
        let state = stat
            .iter()
            .rposition(|byte| *byte == b')')
            .and_then(|at| stat.get(at + 2));
        if matches!(state, None | Some(b'Z' | b'X')) {
            continue;
        }
        let environment = read("environ");
        if environment
            .windows(my_reaper.len())
            .any(|window| window == my_reaper.as_bytes())
        {
            continue;
        }
        let link = |file: &str| std::fs::read_link(entry.path().join(file)).unwrap_or_else(|_| PathBuf::new());
        let open: Vec<PathBuf> = std::fs::read_dir(entry.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|fd| std::fs::read_link(fd.path()).ok())
            .collect();
        let how = if holds(&read("cmdline")) {
            "command line"
        } else if holds(&environment) {
            "environment"
        } else if link("cwd").starts_with(root) {
            "directory"
        } else if open.iter().any(|path| path.starts_with(root)) {
            "open file"
        } else {
            continue;
        };
        let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        found.push((pid, format!("{how}: {line}")));
    }
    found
}

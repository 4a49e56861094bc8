//! A daemon that is defined outside the framework: a small program that misbehaves on request.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use managed_daemons::prelude::*;
use managed_daemons::{HasParts, SavedOptions, SharedDaemon};

/// The handle of the misbehaving daemon.
pub type UnrulyDaemon = ManagedDaemon<Unruly>;

/// The recipe of the misbehaving daemon.
#[derive(Debug, Default)]
pub struct Unruly {
    mode: Option<String>,
    port: u16,
}

impl Unruly {
    /// Chooses how it misbehaves. `src/bin/unruly.rs` lists the modes.
    pub fn mode(&mut self, mode: impl Into<String>) {
        self.mode = Some(mode.into());
    }

    /// The address that it listens on.
    pub fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    /// Sends a line and returns the answer.
    ///
    /// # Errors
    /// When the daemon can't be reached, or does not answer within a minute.
    pub fn ask(&self, line: &str) -> std::io::Result<String> {
        self.ask_within(Duration::from_secs(60), line)
    }

    fn ask_within(&self, patience: Duration, line: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(patience))?;
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }
}

/// A part is a directory.
impl HasParts for Unruly {
    fn make_part(server: &SharedDaemon, name: &str) -> Result<String> {
        let dir = server.working_dir().join(name);
        fs::create_dir(&dir).map_err(ManagedDaemonError::io("make", &dir))?;
        Ok(dir.display().to_string())
    }

    fn remove_part(server: &SharedDaemon, name: &str) -> Result<()> {
        let dir = server.working_dir().join(name);
        fs::remove_dir(&dir).map_err(ManagedDaemonError::io("remove", &dir))
    }
}

impl Daemon for Unruly {
    const NAME: &'static str = "unruly";

    fn binary_spec(&self) -> BinarySpec {
        BinarySpec::new("unruly", "unruly")
    }

    fn configure(&mut self, instance: &Instance) -> Result<()> {
        self.port = instance.port();
        let mode = self.mode.get_or_insert_with(|| String::from("tame"));
        if mode.contains('\n') {
            return Err(ManagedDaemonError::InvalidOption {
                daemon: Self::NAME,
                option: "mode",
                problem: String::from("must be one line"),
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
        match self.ask_within(Duration::from_secs(1), "HELLO") {
            Ok(answer) if answer == "READY" => Readiness::Ready,
            Ok(answer) => Readiness::NotYet(format!("it said {answer:?}")),
            Err(error) => Readiness::NotYet(error.to_string()),
        }
    }

    fn settings(&self) -> SavedOptions {
        SavedOptions::default().with("mode", &self.mode)
    }

    fn restore(&mut self, settings: &SavedOptions) -> Result<(), String> {
        if self.mode.is_none() {
            self.mode = Some(settings.get("mode")?);
        }
        Ok(())
    }
}

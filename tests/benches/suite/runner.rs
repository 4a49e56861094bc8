//! Runs a suite as a developer would.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::crate_of_suites::CrateOfSuites;
use crate::server::Servers;
use crate::suite::Contestant;
use crate::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    pub(crate) const ALL: [Self; 2] = [Self::Nextest, Self::CargoTest];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nextest => "cargo nextest run",
            Self::CargoTest => "cargo test",
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Nextest => &["nextest", "run"],
            Self::CargoTest => &["test"],
        }
    }

    /// Runs the tests, and returns how many seconds the command took.
    pub(crate) fn run(self, made: &CrateOfSuites, contestant: &Contestant, servers: &Servers) -> Result<f64, Failure> {
        let mut command = made.cargo();
        command
            .args(self.words())
            .args(["--offline", "--test", contestant.binary]);
        if let Some(url) = contestant.server.and_then(|server| servers.url(server)) {
            command.env("DATABASE_URL", url);
        }
        let begin = Instant::now();
        let output = command.stderr(Stdio::piped()).stdout(Stdio::piped()).output()?;
        let seconds = begin.elapsed().as_secs_f64();
        check(&command, &output)?;
        Ok(seconds)
    }
}

fn check(command: &Command, output: &std::process::Output) -> Result<(), Failure> {
    let said = [&*output.stdout, &*output.stderr].concat();
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said)).into()),
    }
}

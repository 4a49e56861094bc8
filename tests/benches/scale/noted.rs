//! A daemon's recipe that notes the command its daemon is run by.

use std::process::Command;
use std::time::Duration;

use managed_daemons::{Daemon, Installation, Instance, Readiness, Result, Signal};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};

/// The recipe of `D`, and what it has said last that is to be run.
#[derive(Debug, Default)]
pub(crate) struct Noted<D> {
    pub(crate) recipe: D,
    command: Mutex<Option<Command>>,
}

impl<D: Daemon> Noted<D> {
    /// A command of the same program, arguments, variables and directory.
    pub(crate) fn command_again(&self) -> Option<Command> {
        let noted = self.command.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = noted.as_ref()?;
        let mut command = Command::new(noted.get_program());
        command.args(noted.get_args()).env_clear();
        command.envs(noted.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(noted.get_current_dir()?);
        Some(command)
    }
}

impl<D: Daemon> Daemon for Noted<D> {
    const NAME: &'static str = D::NAME;

    fn installation(&self) -> Installation {
        self.recipe.installation()
    }

    fn configure(&mut self, instance: &Instance) -> Result<()> {
        self.recipe.configure(instance)
    }

    fn command(&self, instance: &Instance) -> Result<Command> {
        let noted = self.recipe.command(instance)?;
        *self.command.lock().unwrap_or_else(PoisonError::into_inner) = Some(noted);
        self.recipe.command(instance)
    }

    fn probe(&self, instance: &Instance) -> Readiness {
        self.recipe.probe(instance)
    }

    fn ports(&self) -> &'static [&'static str] {
        self.recipe.ports()
    }

    fn initialize(&self, instance: &Instance) -> Result<()> {
        self.recipe.initialize(instance)
    }

    fn ready(&self, instance: &Instance, first: bool) -> Result<()> {
        self.recipe.ready(instance, first)
    }

    fn stop_signal(&self) -> Signal {
        self.recipe.stop_signal()
    }

    fn stop_timeout(&self) -> Duration {
        self.recipe.stop_timeout()
    }

    fn may_leave_group(&self) -> bool {
        self.recipe.may_leave_group()
    }

    fn settings(&self) -> Value {
        self.recipe.settings()
    }
}

//! A recipe that wraps another one and records its commands, so that the bare loop can run exactly
//! the same ones.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use managed_daemons::StopSignal;
use managed_daemons::{Binary, BinarySpec, Builder, Daemon, Instance, ManagedDaemon, Readiness, Result, SavedOptions};

/// A command as data.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) envs: Vec<(OsString, OsString)>,
    pub(crate) dir: Option<PathBuf>,
}

impl Recording {
    fn of(command: &Command) -> Self {
        Self {
            program: command.get_program().to_owned(),
            args: command.get_args().map(OsString::from).collect(),
            envs: command
                .get_envs()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect(),
            dir: command.get_current_dir().map(PathBuf::from),
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(self.envs.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
    }
}

/// The command that runs the daemon, and one that runs its binary without arguments.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    pub(crate) serve: Recording,
    pub(crate) binary: Recording,
}

#[derive(Debug, Default)]
pub(crate) struct Recorded<D> {
    inner: D,
    commands: Mutex<Option<Commands>>,
}

impl<D: Daemon> Recorded<D> {
    /// A builder with the same options that records the commands.
    pub(crate) fn builder(original: Builder<D>) -> Builder<Self> {
        let mut inner = D::default();
        let _ = original.with(|recipe| std::mem::swap(recipe, &mut inner));
        ManagedDaemon::<Self>::builder().with(|recorded| recorded.inner = inner)
    }

    /// The commands of the last start.
    pub(crate) fn commands(&self) -> Option<Commands> {
        self.commands.lock().ok()?.clone()
    }
}

impl<D> Deref for Recorded<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.inner
    }
}

impl<D: Daemon> Daemon for Recorded<D> {
    const NAME: &'static str = D::NAME;

    fn command(&self, instance: &Instance) -> Result<Command> {
        let command = self.inner.command(instance)?;
        if let Ok(mut commands) = self.commands.lock() {
            *commands = Some(Commands {
                serve: Recording::of(&command),
                binary: Recording::of(&instance.command()),
            });
        }
        Ok(command)
    }

    fn binary_spec(&self) -> BinarySpec {
        self.inner.binary_spec()
    }

    fn configure(&mut self, instance: &Instance) -> Result<()> {
        self.inner.configure(instance)
    }

    fn probe(&self, instance: &Instance) -> Readiness {
        self.inner.probe(instance)
    }

    fn ports(&self) -> &'static [&'static str] {
        self.inner.ports()
    }

    fn further_ports(&self, binary: &Binary) -> Vec<String> {
        self.inner.further_ports(binary)
    }

    fn initialize(&self, instance: &Instance) -> Result<()> {
        self.inner.initialize(instance)
    }

    fn ready(&self, instance: &Instance, first: bool) -> Result<()> {
        self.inner.ready(instance, first)
    }

    fn stop_signal(&self) -> StopSignal {
        self.inner.stop_signal()
    }

    fn stop_timeout(&self) -> Duration {
        self.inner.stop_timeout()
    }

    fn escapes_process_group(&self) -> bool {
        self.inner.escapes_process_group()
    }

    fn settings(&self) -> SavedOptions {
        self.inner.settings()
    }

    fn restore(&mut self, settings: &SavedOptions) -> Result<(), String> {
        self.inner.restore(settings)
    }
}

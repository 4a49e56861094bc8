//! Servers that are told nothing but where to listen.

use std::net::TcpStream;
use std::process::Command;

use managed_daemons::prelude::*;

/// The word before the address in a server's arguments, and the one before its port.
pub(super) trait Arguments: std::fmt::Debug + Default + Send + Sync + 'static {
    const DAEMON: &'static str;
    const ADDRESS: &'static str;
    const PORT: &'static str;
}

#[derive(Debug, Default)]
pub(super) struct Bare<A>(A);

impl<A: Arguments> Daemon for Bare<A> {
    const NAME: &'static str = A::DAEMON;

    fn binary_spec(&self) -> BinarySpec {
        *BinarySpec::named(A::DAEMON).unwrap()
    }

    fn configure(&mut self, _instance: &Instance) -> Result<()> {
        Ok(())
    }

    fn command(&self, instance: &Instance) -> Result<Command> {
        let mut command = instance.command();
        command.args([A::ADDRESS, "127.0.0.1", A::PORT, &instance.port().to_string()]);
        Ok(command)
    }

    fn probe(&self, instance: &Instance) -> Readiness {
        TcpStream::connect((instance.host(), instance.port())).into()
    }
}

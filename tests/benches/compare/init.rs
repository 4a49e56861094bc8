//! A parent that takes in orphans and waits for them at once, as the init of a machine does.
//!
//! What a daemon's main process leaves when it is killed goes to the system's init. In a container the first process is often
//! some program that never waits for anybody: the dead then stay in the process table, and whoever looks through it finds
//! more of them with each round.

use std::process::{Command, ExitCode};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::wait::{wait, WaitStatus};

use crate::client::Failure;

/// Says that there is such a parent.
pub(crate) const UNDER_INIT: &str = "--under-init";

/// Runs this program again as a child, and gives how it ended.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    prctl::set_child_subreaper(true)?;
    let child = Command::new(std::env::current_exe()?)
        .arg(UNDER_INIT)
        .args(arguments)
        .spawn()?;
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, status)) if pid.as_raw() == child.id() as i32 => {
                return Ok(ExitCode::from(u8::try_from(status)?));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid.as_raw() == child.id() as i32 => {
                return Err(format!("ended by {signal}").into());
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

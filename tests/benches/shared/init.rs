//! A parent that takes in orphans and waits for them at once, as the init of a machine does.
//!
//! What a daemon's main process leaves when it is killed goes to the system's init. In a container
//! the first process is often some program that never waits for anybody: the dead then stay in the
//! process table, and whoever looks through it finds more of them with each round.

use std::process::ExitCode;

/// Says that there is such a parent.
#[cfg(target_os = "linux")]
const UNDER_INIT: &str = "--under-init";

/// Gives what `main` gives for these arguments, run as a child of such a parent.
#[cfg(target_os = "linux")]
pub(crate) fn under_init(arguments: &[String], main: impl FnOnce(&[String]) -> ExitCode) -> ExitCode {
    match arguments.split_first() {
        Some((first, arguments)) if first == UNDER_INIT => main(arguments),
        _ => run_again(arguments).unwrap_or_else(|error| {
            eprintln!("can't run under an init: {error}");
            ExitCode::FAILURE
        }),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn under_init(arguments: &[String], main: impl FnOnce(&[String]) -> ExitCode) -> ExitCode {
    main(arguments)
}

/// Runs this program as a child, and gives how it ended.
#[cfg(target_os = "linux")]
fn run_again(arguments: &[String]) -> std::io::Result<ExitCode> {
    use nix::errno::Errno;
    use nix::sys::prctl;
    use nix::sys::wait::{wait, WaitStatus};

    prctl::set_child_subreaper(true)?;
    let child = std::process::Command::new(std::env::current_exe()?)
        .arg(UNDER_INIT)
        .args(arguments)
        .spawn()?;
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, status)) if pid.as_raw() == child.id() as i32 => {
                return Ok(u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid.as_raw() == child.id() as i32 => {
                return Err(std::io::Error::other(format!("it was ended by {signal}")));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

//! A parent process that adopts orphans and reaps them at once, as a real init process does.
//!
//! When a daemon's main process is killed, the init process adopts its children. In a container,
//! the first process often never waits for them. The zombies then stay in the process table, and
//! every look through it takes longer with each round.

use std::process::ExitCode;

/// Marks a run that already has such a parent.
#[cfg(target_os = "linux")]
const UNDER_INIT: &str = "--under-init";

/// Runs `main` with these arguments in a child of such a parent, and returns its exit code.
#[cfg(target_os = "linux")]
pub(crate) fn under_init(arguments: &[String], main: impl FnOnce(&[String]) -> ExitCode) -> ExitCode {
    match arguments.split_first() {
        Some((first, arguments)) if first == UNDER_INIT => main(arguments),
        _ => run_again(arguments).unwrap_or_else(|error| {
            eprintln!("can't run under a parent that reaps orphans: {error}");
            ExitCode::FAILURE
        }),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn under_init(arguments: &[String], main: impl FnOnce(&[String]) -> ExitCode) -> ExitCode {
    main(arguments)
}

/// Runs this program as a child, reaps orphans until it ends, and returns its exit code.
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
                return Err(std::io::Error::other(format!("the benchmark was ended by {signal}")));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

//! Runs this program again under callgrind.

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// The child's `PATH`: a fixed one, so that looking for binaries costs the same everywhere.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// Whether valgrind is installed.
pub(crate) fn is_installed() -> bool {
    let asked = Command::new("valgrind").arg("--version").output();
    asked.is_ok_and(|answer| answer.status.success())
}

/// Runs this program with these arguments, and counts the instructions in the function of this name
/// and in everything that it calls. The function `except` is not counted; nothing else may call it.
pub(crate) fn count(
    function: &str,
    except: Option<&str>,
    arguments: &[String],
    scratch: &Path,
) -> Result<u64, Box<dyn Error>> {
    let out = scratch.join("callgrind.out");
    let mut command = Command::new("valgrind");
    command
        .args([
            "--tool=callgrind",
            "--trace-children=no",
            "--collect-atstart=no",
            "--quiet",
        ])
        .arg(format!("--toggle-collect=*{function}*"))
        .args(except.map(|inner| format!("--toggle-collect=*{inner}")))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(arguments);
    output_of(&mut command)?;
    let text = std::fs::read_to_string(&out)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.ok_or("callgrind's output has no line that begins with `totals: `")?;
    Ok(total.trim().parse()?)
}

/// Runs this program without valgrind, and returns its output.
pub(crate) fn run_plain(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    output_of(Command::new(std::env::current_exe()?).args(arguments))
}

fn output_of(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let passed = |name: &OsString| {
        let name = name.to_string_lossy();
        name == "HOME" || name.starts_with("XDG_") || name.starts_with("MANAGED_DAEMONS_")
    };
    let kept = std::env::vars_os().filter(|(name, _)| passed(name));
    let output = command.env_clear().envs(kept).env("PATH", PATH).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed ({}): {words}", output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

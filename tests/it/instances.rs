//! Named instances of the program, and the file of a project.

mod any_program;
mod environment;
mod failed_start;
mod interrupted;
mod life;
mod loaded;
mod names;
mod place;
mod project_file;
mod project_rules;
mod secrets;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{assert_no_process_left, assert_nothing_left, private_root, program};

/// What the errors of the program begin with.
const PREFIX: &str = "managed-daemons: ";

/// A directory for instances, one for temporary files, and one for a project.
struct Instances {
    dir: TempDir,
    root: TempDir,
    project: TempDir,
}

/// A daemon of an instance, as `status --json` shows it.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    name: String,
    title: String,
    url: String,
    dir: PathBuf,
    pid: Option<i64>,
}

impl Shown {
    fn of(value: &Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        Self {
            name: text("name"),
            title: text("title"),
            url: text("url"),
            dir: PathBuf::from(text("dir")),
            pid: value["pid"].as_i64(),
        }
    }

    /// The lines of `start` and `status`.
    fn lines(&self, instance: &str) -> String {
        let Self {
            name, title, url, dir, ..
        } = self;
        let state = self
            .pid
            .map_or_else(|| String::from("stopped"), |pid| format!("running, pid {pid}"));
        format!("{instance}/{name}  {title}  {state}\n  {url}\n  {}\n", dir.display())
    }

    fn port(&self) -> u16 {
        let after = self.url.rsplit_once(':').unwrap().1;
        after.split('/').next().unwrap().parse().unwrap()
    }

    fn kill(&self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid.unwrap()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
}

impl Instances {
    fn new() -> Self {
        Self {
            dir: private_root(),
            root: private_root(),
            project: private_root(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program!("command-line"));
        command
            .args(arguments)
            .current_dir(self.project.path())
            .env("MANAGED_DAEMONS_INSTANCES", self.dir.path())
            .env("MANAGED_DAEMONS_TMPDIR", self.root.path())
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs what succeeds, and returns what it prints and what it notes.
    #[track_caller]
    fn noted(&self, arguments: &[&str]) -> (String, String) {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    /// Runs what succeeds and has nothing to note, and returns what it prints.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let (printed, noted) = self.noted(arguments);
        assert_eq!(noted, "", "{arguments:?}");
        printed
    }

    /// Runs what fails, and returns its error. It prints nothing.
    #[track_caller]
    fn error(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let error = error.strip_prefix(PREFIX).and_then(|error| error.strip_suffix('\n'));
        error.unwrap().to_owned()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// The daemons that a command shows.
    #[track_caller]
    fn shown(&self, arguments: &[&str]) -> Vec<Shown> {
        let shown = self.json(arguments);
        shown.as_array().unwrap().iter().map(Shown::of).collect()
    }

    fn status(&self, name: &str) -> Vec<Shown> {
        self.shown(&["status", name])
    }

    /// The directory of an instance.
    fn dir(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the project's file, and returns its path.
    fn write_file(&self, text: &str) -> PathBuf {
        let path = self.project.path().join("managed-daemons.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A key of the Redis of an instance.
    #[track_caller]
    fn redis(&self, instance: &str, command: &[&str]) -> String {
        let arguments = [&["cli", instance, "redis", "--"], command].concat();
        self.run(&arguments).trim_end().to_owned()
    }

    #[track_caller]
    fn sql(&self, instance: &str, sql: &str) -> String {
        let printed = self.run(&["psql", instance, "--", "-AtXqc", sql]);
        printed.trim_end().to_owned()
    }

    /// Removes an instance, and asserts that nothing is left of it.
    #[track_caller]
    fn remove(&self, name: &str) {
        let dir = self.dir(name);
        assert_eq!(self.run(&["remove", name]), format!("removed {}\n", dir.display()));
        assert!(!dir.exists());
        assert_no_process_left(&dir);
        assert_nothing_left(self.root.path());
    }
}

/// So that a test which fails leaves no daemon.
impl Drop for Instances {
    fn drop(&mut self) {
        for name in names_in(self.dir.path()) {
            let _ = self.command(&["remove", &name]).output();
        }
    }
}

/// The names in a directory, in order.
fn names_in(dir: &Path) -> Vec<String> {
    let listing = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = listing.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

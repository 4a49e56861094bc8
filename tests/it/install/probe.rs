//! Searches and fetches in another process, with environment variables and a user of its own.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{json, Value};

use crate::support::{is_root, program};

/// A search by the program `locate`: see `src/bin/locate.rs`.
pub(crate) struct Probe {
    question: Value,
    env: Vec<(String, String)>,
    wrapper: Vec<String>,
    executable: PathBuf,
}

/// What the search printed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) value: Value,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn found(&self) -> &Value {
        assert!(self.value["error"].is_null(), "{}\n{}", self.text("error"), self.stderr);
        &self.value
    }

    pub(crate) fn error(&self) -> String {
        assert!(self.value["error"].is_string(), "found {}", self.value);
        self.text("error")
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.value[field].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(self.found()["path"].as_str().unwrap())
    }
}

impl Probe {
    /// Searches for one of the framework's daemons, with this cache and a `PATH` without programs.
    pub(crate) fn new(daemon: &str, cache: &Path) -> Self {
        let probe = Self {
            question: json!({ "daemon": daemon }),
            env: Vec::new(),
            wrapper: Vec::new(),
            executable: program!("locate"),
        };
        probe
            .var("MANAGED_DAEMONS_CACHE", cache.to_str().unwrap())
            .var("PATH", "/nonexistent")
    }

    /// Searches for a daemon in the cache alone, and fetches it there.
    pub(crate) fn fetching(daemon: &str, cache: &Path) -> Self {
        Self::new(daemon, cache).var("MANAGED_DAEMONS_PROVISION", "only")
    }

    /// Searches for a program that the framework does not know, without fetching.
    pub(crate) fn of_program(program: &str, version_after: &str, cache: &Path) -> Self {
        let mut probe = Self::new("example", cache).var("MANAGED_DAEMONS_PROVISION", "never");
        probe.question = json!({ "daemon": "example", "program": program, "version_after": version_after });
        probe
    }

    /// Fetches a program that the framework does not know from the package that has it.
    pub(crate) fn fetching_package(program: &str, package: &str, cache: &Path) -> Self {
        let mut probe = Self::fetching("example", cache);
        probe.question = json!({ "daemon": "example", "program": program, "package": package });
        probe
    }

    pub(crate) fn version(mut self, version: &str) -> Self {
        self.question["version"] = json!(version);
        self
    }

    pub(crate) fn named(mut self, path: &Path) -> Self {
        self.question["path"] = json!(path.to_str().unwrap());
        self
    }

    pub(crate) fn well_known(mut self, pattern: &str) -> Self {
        self.question["well_known"] = json!(pattern);
        self
    }

    /// Asks for an installation with this module.
    pub(crate) fn add_on(mut self, name: &str) -> Self {
        self.question["add_on"] = json!(name);
        self
    }

    /// Also checks every file of the installation.
    pub(crate) fn verifying(mut self) -> Self {
        self.question["verify"] = json!(true);
        self
    }

    pub(crate) fn suite(mut self, suite: &str) -> Self {
        self.question["suite"] = json!(suite);
        self
    }

    /// Starts Redis as a test would and pings it, instead of only searching.
    pub(crate) fn serving(mut self) -> Self {
        self.question["serve"] = json!(true);
        self
    }

    /// Also runs these tools of the installation with `--version`.
    pub(crate) fn tools(mut self, tools: &[&str]) -> Self {
        self.question["tools"] = json!(tools);
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the search through another program, such as `unshare --net`.
    pub(crate) fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper.extend(wrapper.iter().map(|w| (*w).to_owned()));
        self
    }

    /// Runs the search as an ordinary user.
    pub(crate) fn run_by(mut self, user: &OrdinaryUser) -> Self {
        if let Some((uid, executable)) = &user.other {
            self.executable.clone_from(executable);
            let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={uid}"));
            self = self.through(&["setpriv", &uid, &gid, "--clear-groups"]);
        }
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut words: Vec<OsString> = self.wrapper.iter().map(OsString::from).collect();
        if let Some(wrapper) = words.first_mut() {
            // Look for the wrapper in the test's `PATH`: the probe's has no programs.
            let path = std::env::var_os("PATH").unwrap_or_default();
            let mut places = std::env::split_paths(&path).map(|dir| dir.join(&*wrapper));
            *wrapper = places.find(|place| place.is_file()).unwrap().into();
        }
        words.extend([self.executable.clone().into(), self.question.to_string().into()]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        self.set_environment(&mut command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Gives a command the probe's environment.
    pub(crate) fn set_environment(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MANAGED_DAEMONS_") {
                command.env_remove(name);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
    }

    pub(crate) fn start(&self) -> Child {
        self.command().spawn().unwrap()
    }

    pub(crate) fn ask(&self) -> Answer {
        answer(self.command().output().unwrap())
    }
}

/// The answer of a process that [`Probe::start`] started.
pub(crate) fn answer_of(mut child: Child) -> Answer {
    let mut stderr = String::new();
    let mut stdout = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    answer(Output {
        status: child.wait().unwrap(),
        stdout,
        stderr: stderr.into_bytes(),
    })
}

fn answer(output: Output) -> Answer {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = serde_json::from_str(&stdout);
    let value = value.unwrap_or_else(|error| panic!("{error}: {}\n{stdout}\n{stderr}", output.status));
    Answer { value, stderr }
}

/// An ordinary user: the one who runs the tests, or `nobody` if that is root.
pub(crate) struct OrdinaryUser {
    /// The user ID of `nobody`, and a copy of `locate` that `nobody` can run.
    other: Option<(u32, PathBuf)>,
    _directory: tempfile::TempDir,
}

impl OrdinaryUser {
    /// `nobody` has no home directory that a search could fall back to.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        if !is_root() {
            return Self {
                other: None,
                _directory: directory,
            };
        }
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let copy = directory.path().join("locate");
        copy_program(program!("locate"), &copy);
        Self {
            other: Some((65534, copy)),
            _directory: directory,
        }
    }

    /// Gives a directory and everything in it to this user.
    pub(crate) fn give(&self, path: &Path) {
        if let Some((uid, _)) = self.other {
            let given = Command::new("chown")
                .args(["-R", &format!("{uid}:{uid}")])
                .arg(path)
                .status();
            assert!(given.unwrap().success());
        }
    }
}

/// A directory that is kept from run to run.
fn kept_directory() -> PathBuf {
    let named = std::env::var_os("MANAGED_DAEMONS_TEST_TMPDIR").map(PathBuf::from);
    let of_cargo = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let of_user = std::env::var_os("HOME").map(|h| Path::new(&h).join(".cache/managed-daemons-tests"));
    // Where root built the tests and another user runs them, cargo's directory belongs to root.
    let usable = |d: &PathBuf| std::fs::create_dir_all(d).is_ok() && tempfile::tempfile_in(d).is_ok();
    let all = [named, Some(of_cargo), of_user].into_iter().flatten();
    all.into_iter()
        .find(usable)
        .expect("no directory can be kept from run to run")
}

/// A cache with Redis in it, kept from run to run to save downloads.
fn shared_cache() -> PathBuf {
    let shared = kept_directory().join("daemons");
    Probe::fetching("redis", &shared)
        .var("MANAGED_DAEMONS_USER", "root")
        .ask()
        .found();
    shared
}

/// Makes a cache with package lists, and nothing fetched.
pub(crate) fn cache_with_lists(directory: &Path) -> PathBuf {
    let cache = directory.join("cache");
    std::fs::create_dir(&cache).unwrap();
    copy(&shared_cache().join("apt"), &cache);
    cache
}

/// Makes a cache with Redis in it.
pub(crate) fn cache_with_redis(directory: &Path) -> PathBuf {
    let cache = cache_with_lists(directory);
    copy(&shared_cache().join("store"), &cache);
    cache
}

fn copy(what: &Path, into: &Path) {
    let copied = Command::new("cp").arg("-a").arg(what).arg(into).status().unwrap();
    assert!(copied.success());
}

/// The installations of a daemon in a cache.
pub(crate) fn stored(cache: &Path, daemon: &str) -> Vec<PathBuf> {
    let entries = cache.join("store").read_dir().into_iter().flatten().flatten();
    let ours = entries.filter(|e| e.file_name().to_string_lossy().starts_with(&format!("{daemon}@")));
    ours.map(|e| e.path()).collect()
}

/// What is in a cache's directory for unfinished work.
pub(crate) fn unfinished(cache: &Path) -> Vec<String> {
    let entries = cache.join("tmp").read_dir().into_iter().flatten().flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// The processes whose command line names this path, with their command lines.
pub(crate) fn processes_naming(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let processes = Path::new("/proc").read_dir().unwrap().flatten();
    let lines = processes.filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
    let lines = lines.map(|l| String::from_utf8_lossy(&l).replace('\0', " "));
    lines.filter(|l| l.contains(path)).collect()
}

/// A directory that any user can read, for programs and caches.
pub(crate) fn public_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    directory
}

/// Makes a program that prints a line.
pub(crate) fn write_program(directory: &Path, name: &str, prints: &str) -> PathBuf {
    std::fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    script(&path, &format!("#!/bin/sh\necho '{prints}'\n"));
    path
}

/// Makes an executable file. Another process writes it: where this one has it open, so may a process
/// that another test is just spawning, and a file that is open for writing can't be executed.
pub(crate) fn script(path: &Path, text: &str) {
    let write = r#"printf %s "$1" >"$2" && chmod 755 "$2""#;
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", write, "sh", text]).arg(path);
    assert!(shell.status().unwrap().success());
}

/// Copies an executable file, likewise.
pub(crate) fn copy_program(from: impl AsRef<Path>, to: &Path) {
    let status = Command::new("cp").arg(from.as_ref()).arg(to).status();
    assert!(status.unwrap().success());
}

/// Fails unless a fetch into this cache succeeds.
pub(crate) fn assert_recovers(cache: &Path) {
    let answer = Probe::fetching("redis", cache).tools(&["redis-cli"]).verifying().ask();
    assert_eq!(answer.found()["verified"], "whole");
    assert_eq!(unfinished(cache), [""; 0]);
    assert_eq!(stored(cache, "redis").len(), 1);
}

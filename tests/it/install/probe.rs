//! Finding and fetching in a process of its own: they depend on variables and on the user, which are a process's, not a test's.

use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{json, Value};

/// Set in a process that is to look for a binary instead of running tests.
pub(crate) const QUESTION: &str = "MANAGED_DAEMONS_TEST_PROBE";
pub(crate) const MARK: &str = "probe answer: ";

/// A question for a process of its own.
pub(crate) struct Probe {
    question: Value,
    env: Vec<(String, String)>,
    wrapper: Vec<String>,
    executable: PathBuf,
}

/// What the process answered.
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
    /// Looks for a daemon of the catalogue, with an empty `PATH` and a cache of its own.
    pub(crate) fn new(daemon: &str, cache: &Path) -> Self {
        let probe = Self {
            question: json!({ "daemon": daemon }),
            env: Vec::new(),
            wrapper: Vec::new(),
            executable: std::env::current_exe().unwrap(),
        };
        probe
            .var("MANAGED_DAEMONS_CACHE", cache.to_str().unwrap())
            .var("PATH", "/nonexistent")
    }

    /// Looks for a daemon where only what was fetched counts.
    pub(crate) fn fetching(daemon: &str, cache: &Path) -> Self {
        Self::new(daemon, cache).var("MANAGED_DAEMONS_PROVISION", "only")
    }

    /// Looks for a program that no catalogue has, and that must not be fetched.
    pub(crate) fn of_program(program: &str, version_after: &str, cache: &Path) -> Self {
        let mut probe = Self::new("example", cache).var("MANAGED_DAEMONS_PROVISION", "never");
        probe.question = json!({ "daemon": "example", "program": program, "version_after": version_after });
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

    /// Checks the installation fully after it was found.
    pub(crate) fn verifying(mut self) -> Self {
        self.question["verify"] = json!(true);
        self
    }

    pub(crate) fn suite(mut self, suite: &str) -> Self {
        self.question["suite"] = json!(suite);
        self
    }

    /// Starts a real daemon as a test would, and talks to it. For Redis.
    pub(crate) fn serving(mut self) -> Self {
        self.question["serve"] = json!(true);
        self
    }

    /// Runs these tools of the installation with `--version`.
    pub(crate) fn tools(mut self, tools: &[&str]) -> Self {
        self.question["tools"] = json!(tools);
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the process through another program, such as `unshare --net`.
    pub(crate) fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper.extend(wrapper.iter().map(|w| (*w).to_owned()));
        self
    }

    /// Runs as the ordinary user, where the tests run as root.
    pub(crate) fn run_by(mut self, user: &OrdinaryUser) -> Self {
        if let Some((uid, executable)) = &user.other {
            self.executable.clone_from(executable);
            let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={uid}"));
            self = self.through(&["setpriv", &uid, &gid, "--clear-groups"]);
        }
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            Some((program, args)) => {
                let mut command = Command::new(program);
                command.args(args).arg(&self.executable);
                command
            }
            None => Command::new(&self.executable),
        };
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|n| n.to_string_lossy().starts_with("MANAGED_DAEMONS_")) {
            command.env_remove(name);
        }
        command
            .args(["--exact", "provision_probe::probe", "--nocapture", "--test-threads=1"])
            .env(QUESTION, self.question.to_string())
            .envs(self.env.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // The wrapper is the test's own business and is looked up in the test's own PATH.
        if let (Some(wrapper), Some(path)) = (self.wrapper.first(), std::env::var_os("PATH")) {
            let found = std::env::split_paths(&path)
                .map(|d| d.join(wrapper))
                .find(|p| p.is_file());
            let mut full = Command::new(found.unwrap());
            full.args(command.get_args());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => full.env(name, value),
                    None => full.env_remove(name),
                };
            }
            full.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            return full;
        }
        command
    }

    pub(crate) fn start(&self) -> Child {
        self.command().spawn().unwrap()
    }

    pub(crate) fn ask(&self) -> Answer {
        answer(self.command().output().unwrap())
    }
}

/// The answer of a process that was [started](Probe::start).
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
    let line = stdout.lines().find_map(|l| Some(l.split_once(MARK)?.1));
    let line = line.unwrap_or_else(|| panic!("no answer: {}\n{stdout}\n{stderr}", output.status));
    Answer {
        value: serde_json::from_str(line).unwrap(),
        stderr,
    }
}

/// An ordinary user, and a copy of the test binary that this user can read; where the tests don't run as root, that is us.
pub(crate) struct OrdinaryUser {
    /// Its number and its copy of the test binary, where it is not us.
    other: Option<(u32, PathBuf)>,
    _directory: tempfile::TempDir,
}

impl OrdinaryUser {
    /// `nobody` needs no account of its own, and has no home directory to help out.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        if !is_root() {
            return Self {
                other: None,
                _directory: directory,
            };
        }
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let copy = directory.path().join("it");
        std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        Self {
            other: Some((65534, copy)),
            _directory: directory,
        }
    }

    /// Makes a directory and all in it the user's own.
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

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Waits for a condition, for a minute at most.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A directory that stays from run to run.
fn kept_directory() -> PathBuf {
    let named = std::env::var_os("MANAGED_DAEMONS_TEST_TMPDIR").map(PathBuf::from);
    let of_cargo = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let of_user = std::env::var_os("HOME").map(|h| Path::new(&h).join(".cache/managed-daemons-tests"));
    // cargo's is another user's where the tests were built by root and run by somebody else.
    let usable = |d: &PathBuf| std::fs::create_dir_all(d).is_ok() && tempfile::tempfile_in(d).is_ok();
    let all = [named, Some(of_cargo), of_user].into_iter().flatten();
    all.into_iter().find(usable).expect("a directory for what is kept")
}

/// A cache in which Redis was fetched once, kept from run to run: its lists, and its store, save others a download.
fn shared_cache() -> PathBuf {
    let shared = kept_directory().join("daemons");
    Probe::fetching("redis", &shared)
        .var("MANAGED_DAEMONS_USER", "root")
        .ask()
        .found();
    shared
}

/// A cache with package lists that are up to date, and nothing fetched.
pub(crate) fn cache_with_lists(directory: &Path) -> PathBuf {
    let cache = directory.join("cache");
    std::fs::create_dir(&cache).unwrap();
    copy(&shared_cache().join("apt"), &cache);
    cache
}

/// A cache with Redis in it.
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

/// What is left in a cache's directory for unfinished work.
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

/// A program that prints a line; a shell script.
pub(crate) fn program(directory: &Path, name: &str, prints: &str) -> PathBuf {
    std::fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    script(&path, &format!("#!/bin/sh\necho '{prints}'\n"));
    path
}

/// Makes an executable file.
pub(crate) fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// Fetches succeed again in this cache.
pub(crate) fn assert_recovers(cache: &Path) {
    let answer = Probe::fetching("redis", cache).tools(&["redis-cli"]).verifying().ask();
    assert_eq!(answer.found()["verified"], "whole");
    assert_eq!(unfinished(cache), [""; 0]);
    assert_eq!(stored(cache, "redis").len(), 1);
}

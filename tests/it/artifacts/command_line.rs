//! `managed-daemons kept`, `reopen` and `clean --kept`.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;

use super::reopen::{dir, fail_all};
use super::{entries, failing, kept_of};
use crate::support::{assert_no_process_left, assert_nothing_left, eventually_false, is_root, private_root, program};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(program!("command-line"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> (bool, String) {
    let output = program(arguments).output().unwrap();
    // One of them is empty.
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), text)
}

fn json(arguments: &[&str]) -> Value {
    let (success, text) = run(arguments);
    assert!(success, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// `managed-daemons reopen`, which runs until it is ended.
struct Reopened {
    child: Child,
    said: Value,
}

impl Reopened {
    fn new(dir: &Path, root: &Path) -> Self {
        let mut command = program(&["reopen", dir.to_str().unwrap(), "--json"]);
        command.env("MANAGED_DAEMONS_TMPDIR", root);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !text.ends_with("}\n") {
            text += &(lines.next().unwrap().unwrap() + "\n");
        }
        let said = serde_json::from_str(&text).unwrap();
        Self { child, said }
    }

    /// Runs the command that it shows, with something to do, and returns what that prints.
    fn client(&self, number: usize, to_do: &str) -> String {
        let command = self.said["commands"][number].as_str().unwrap();
        assert!(!command.contains("pass:word"), "{command}");
        let output = Command::new("/bin/sh")
            .args(["-c", &format!("{command} {to_do}")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn end(mut self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(signal as i32));
    }
}

impl Drop for Reopened {
    fn drop(&mut self) {
        // If it has ended, this does nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_commands_that_are_shown_reach_each_daemon() {
    let (root, kept) = (private_root(), private_root());
    fail_all(root.path(), kept.path());
    let reopen = |daemon: &str| Reopened::new(&dir(kept.path(), daemon), root.path());
    let redis = reopen("redis");
    assert!(redis.said["daemon"].as_str().unwrap().starts_with("redis "));
    assert_eq!(redis.client(0, "GET name"), "text");
    redis.end(Signal::SIGINT);
    let postgres = reopen("postgres");
    assert_eq!(postgres.client(0, "-Atc 'SELECT count(*) FROM orders'"), "1000");
    // Killed, it leaves nobody.
    postgres.end(Signal::SIGKILL);
    let mysql = reopen("mysql");
    assert_eq!(mysql.client(0, "-Ne 'SELECT id FROM orders'"), "7");
    mysql.end(Signal::SIGTERM);
    let rabbit = reopen("rabbitmq");
    assert!(rabbit.client(0, "--silent").contains("jobs"));
    if Command::new("curl").arg("--version").output().is_ok() {
        let overview: Value = serde_json::from_str(&rabbit.client(1, "--silent")).unwrap();
        assert_eq!(overview["object_totals"]["queues"], 1);
        let nginx = reopen("nginx");
        assert!(nginx.client(0, "--silent").starts_with("HTTP/1.1 "));
        nginx.end(Signal::SIGTERM);
    }
    rabbit.end(Signal::SIGTERM);
    for daemon in ["redis", "postgres", "mysql", "rabbitmq", "nginx"] {
        let dir = dir(kept.path(), daemon);
        eventually_false("run", || !managed_daemons_tests::processes_of(&dir).is_empty());
        assert_no_process_left(&dir);
        assert!(dir.join("service.json").is_file());
    }
    assert_nothing_left(root.path());
}

#[test]
fn a_daemon_that_was_ended_by_a_signal_can_be_reopened_at_once() {
    let (root, kept) = (private_root(), private_root());
    fail_all(root.path(), kept.path());
    for daemon in ["redis", "postgres"] {
        let dir = dir(kept.path(), daemon);
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            Reopened::new(&dir, root.path()).end(signal);
        }
        for keys in ["\x03", "\n"] {
            let reopen = format!("exec {} reopen {}", program!("command-line").display(), dir.display());
            let mut command = Command::new("script");
            command.args(["-qfec", &reopen, "/dev/null"]);
            command.env("MANAGED_DAEMONS_TMPDIR", root.path());
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let told = lines.find(|line| line.as_ref().unwrap().contains("Enter or Ctrl-C ends it"));
            assert!(told.is_some(), "{daemon}");
            child.stdin.as_ref().unwrap().write_all(keys.as_bytes()).unwrap();
            // That of a shell: 128 and the number of the signal.
            let expected = if keys == "\n" { 0 } else { 130 };
            assert_eq!(child.wait().unwrap().code(), Some(expected), "{daemon}");
        }
        Reopened::new(&dir, root.path()).end(Signal::SIGINT);
        assert_no_process_left(&dir);
    }
    assert_nothing_left(root.path());
}

#[test]
fn what_is_kept_is_listed_and_removed() {
    let (root, kept) = (private_root(), private_root());
    let place = ["--dir", kept.path().to_str().unwrap()];
    let with_place = |words: &[&'static str]| [words, &["--dir", place[1]]].concat().join("\n");
    let words = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let command = |text: &[&'static str]| {
        let all = words(&with_place(text));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        run(&all)
    };
    assert_eq!(
        command(&["kept"]),
        (true, format!("nothing is kept in `{}`\n", place[1]))
    );
    fail_all(root.path(), kept.path());
    failing("keep::tests_that_fail_on_demand::by_a", root.path(), kept.path());
    let (_, listed) = command(&["kept"]);
    let lines: Vec<&str> = listed.lines().collect();
    // The newest first.
    assert!(
        lines[0].contains(" ago  ") && lines[0].contains("  shop.it.artifacts.keep."),
        "{listed}"
    );
    assert!(lines[0].contains(" kB  ") && lines[0].ends_with("/redis"), "{listed}");
    assert!(
        lines[2..]
            .iter()
            .any(|line| line.contains(" MB  shop.it.artifacts.reopen.")),
        "{listed}"
    );
    let all = json(&["kept", "--json", place[0], place[1]]);
    assert_eq!(all.as_array().unwrap().len(), 8);
    assert_eq!(all[0]["can_be_reopened"], true);

    // One that is in use stays.
    let redis = managed_daemons::RedisDaemon::builder()
        .reopen(dir(kept.path(), "redis"))
        .unwrap();
    let (success, removed) = command(&["clean", "--kept"]);
    assert!(success, "{removed}");
    assert_eq!(
        removed.lines().filter(|line| line.starts_with("removed ")).count(),
        7,
        "{removed}"
    );
    assert!(
        removed.contains(", which is in use\n") && removed.ends_with(" freed\n"),
        "{removed}"
    );
    assert_eq!(entries(kept.path()).len(), 1);
    redis.close().unwrap();
    command(&["clean", "--kept"]);
    assert_eq!(entries(kept.path()), [""; 0]);
}

/// As a process leaves them that is killed while it copies.
#[test]
fn a_copy_that_nobody_writes_goes_and_one_that_somebody_writes_stays() {
    let (root, kept) = (private_root(), private_root());
    let test = kept.path().join("shop.it.killed");
    let (dead, live) = (test.join(".partial-a1B2c3"), test.join(".partial-d4E5f6"));
    std::fs::create_dir_all(&live).unwrap();
    std::fs::write(test.join(".managed-daemons"), "").unwrap();
    let lock = File::open(&live).unwrap();
    let lock = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
    std::fs::create_dir(&dead).unwrap();
    failing("keep::tests_that_fail_on_demand::by_a_panic", root.path(), kept.path());
    assert!(!dead.exists() && live.is_dir());
    std::fs::create_dir(&dead).unwrap();
    let clean = || run(&["clean", "--kept", "--dir", kept.path().to_str().unwrap()]).1;
    let said = clean();
    assert!(said.contains(&format!("removed {}\n", dead.display())), "{said}");
    assert!(!dead.exists() && live.is_dir());
    drop(lock);
    let said = clean();
    assert!(said.contains(&format!("removed {}\n", live.display())), "{said}");
    assert!(!test.exists());
}

/// Where `target` can't be written to, tests keep in the cache.
#[test]
fn what_is_kept_in_the_cache_is_listed_and_removed_too() {
    let (root, project) = (private_root(), private_root());
    let target = project.path().join("target");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
    let cache = project.path().join("cache");
    let places = [target.join("managed-daemons"), cache.join("kept")];
    let here = |arguments: &[&str]| {
        let mut command = program(arguments);
        for variable in ["MANAGED_DAEMONS_KEEP_DIR", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"] {
            command.env_remove(variable);
        }
        command.current_dir(project.path()).env("MANAGED_DAEMONS_CACHE", &cache);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let tests = ["by_a_panic", "by_an_error"].map(|name| format!("keep::tests_that_fail_on_demand::{name}"));
    failing(&tests[0], root.path(), &places[0]);
    failing(&tests[1], root.path(), &places[1]);
    let kept = [0, 1].map(|at| kept_of(&places[at], &tests[at], "redis"));
    let shown = here(&["kept"]);
    for dir in &kept {
        assert!(shown.contains(&format!("  {}\n", dir.display())), "{shown}");
    }
    if is_root() {
        let theirs = places[1].join("shop.theirs/redis");
        let test = theirs.parent().unwrap();
        std::fs::create_dir_all(&theirs).unwrap();
        std::fs::write(test.join(".managed-daemons"), "").unwrap();
        std::os::unix::fs::chown(test, Some(65534), Some(65534)).unwrap();
        let shown = here(&["kept"]);
        assert!(
            shown.contains(&format!("{}  (another user's)\n", theirs.display())),
            "{shown}"
        );
        let said = here(&["clean", "--kept"]);
        let told = format!("left {}, which is another user's\n", theirs.display());
        assert!(said.contains(&told) && theirs.is_dir(), "{said}");
        std::fs::remove_dir_all(test).unwrap();
    }
    here(&["clean", "--kept"]);
    assert_eq!(kept.map(|dir| dir.exists()), [false, false]);
    let nothing = format!(
        "nothing is kept in `{}` or `{}`\n",
        places[0].display(),
        places[1].display()
    );
    assert_eq!(here(&["kept"]), nothing);
}

#[test]
fn where_nothing_is_kept_it_is_said_where_that_would_be() {
    let root = private_root();
    let project = root.path().canonicalize().unwrap().join("project");
    let cache = root.path().join("cache");
    std::fs::create_dir(&project).unwrap();
    let kept = |cargo: Option<&str>| {
        let mut command = program(&["kept"]);
        command.current_dir(&project).env("MANAGED_DAEMONS_CACHE", &cache);
        for variable in ["MANAGED_DAEMONS_KEEP_DIR", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"] {
            command.env_remove(variable);
        }
        command.envs(cargo.map(|dir| ("CARGO_TARGET_DIR", dir)));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let nothing = format!(
        "nothing is kept in `{}/kept`; there is no `target/managed-daemons` in `{}` or above it",
        cache.display(),
        project.display()
    );
    // Never built.
    assert_eq!(kept(None), format!("{nothing}\n"));
    assert_eq!(
        kept(Some("/no/such")),
        format!("{nothing}, nor in CARGO_TARGET_DIR (`/no/such`)\n")
    );
    let target = project.join("target");
    std::fs::create_dir_all(target.join("managed-daemons")).unwrap();
    std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
    let kept_here = format!(
        "nothing is kept in `{}/managed-daemons` or `{}/kept`\n",
        target.display(),
        cache.display()
    );
    assert_eq!(kept(None), kept_here);
}

#[test]
fn what_can_not_be_reopened_is_one_clear_error() {
    let root = private_root();
    let (success, text) = run(&["reopen", root.path().to_str().unwrap()]);
    assert!(
        !success && text.contains("service.json`: is not there; name the working directory"),
        "{text}"
    );
    let own = root.path().join("own");
    managed_daemons::RedisDaemon::builder()
        .working_dir(&own)
        .start()
        .unwrap()
        .close()
        .unwrap();
    let service = own.join("service.json");
    let changed = std::fs::read_to_string(&service)
        .unwrap()
        .replace("\"redis\"", "\"cache\"");
    std::fs::write(&service, changed).unwrap();
    let (success, text) = run(&["reopen", own.to_str().unwrap()]);
    assert!(
        !success && text.contains("belongs to a cache daemon, which this program does not know"),
        "{text}"
    );
}

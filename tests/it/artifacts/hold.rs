//! Tests that are held, so that somebody can look into their daemons.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::Duration;

use managed_daemons::{with_postgres_database, with_redis, PostgresDatabase, RedisDaemon};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{fails, kept_of, tests, FAIL};
use crate::support::{assert_nothing_left, eventually_empty, eventually_false, private_root};

/// Names a file that a daemon leads to, in place of the one that is removed to go on.
const PRECIOUS: &str = "MANAGED_DAEMONS_TESTS_PRECIOUS";
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

mod tests_that_fail_on_demand {
    use super::*;

    #[with_redis(password("p4ss"))]
    #[with_redis]
    #[test]
    fn of_two(one: RedisDaemon, other: &RedisDaemon) {
        crate::support::set(&one, "name", "text").unwrap();
        assert!(!fails(), "{}", other.port());
    }

    #[test]
    fn without_an_attribute() {
        let redis = RedisDaemon::start().unwrap();
        if let Some(precious) = std::env::var_os(PRECIOUS) {
            // As the daemon, whose directory it is, could do.
            std::os::unix::fs::symlink(precious, redis.working_dir().join("held")).unwrap();
        }
        assert!(!fails());
    }

    #[with_postgres_database]
    #[test]
    fn of_a_part(database: PostgresDatabase) {
        database.query("CREATE TABLE orders AS SELECT 7 AS id").unwrap();
        assert!(!fails());
    }
}

/// A test process that is held.
struct Held {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    said: String,
}

impl Held {
    /// With a terminal of its own, if `script` makes one, or with none.
    fn new(test: &str, hold: &str, through: &[&str], root: &Path, kept: &Path) -> Self {
        let inner = tests(&format!("hold::tests_that_fail_on_demand::{test}"), root, kept);
        let words = [inner.get_program()].into_iter().chain(inner.get_args());
        let words: Vec<&str> = words
            .map(|word| word.to_str().unwrap())
            .filter(|word| *word != "--nocapture")
            .collect();
        let mut command = Command::new(through[0]);
        command.args(&through[1..]);
        match through[0] {
            "script" => command.arg(words.join(" ")).arg("/dev/null"),
            _ => command.args(words),
        };
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .env("MANAGED_DAEMONS_HOLD", hold)
            .env(FAIL, "1")
            .env("NO_COLOR", "1")
            .env_remove("NEXTEST");
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                lines.for_each(|line| drop(sender.send(line)));
            });
        }
        let input = child.stdin.take();
        let said = String::new();
        Self {
            child,
            input,
            lines,
            said,
        }
    }

    fn under_a_terminal(test: &str, hold: &str, root: &Path, kept: &Path) -> Self {
        Self::new(test, hold, &["script", "-qfec"], root, kept)
    }

    /// What it says up to the line with this, and this line.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {text:?} in {}", self.said));
            self.said += &(line.trim_end().to_owned() + "\n");
            if line.contains(text) {
                return self.said.clone();
            }
        }
    }

    fn enter(&mut self, keys: &str) {
        self.input.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until it has ended.
    fn end(mut self) -> String {
        self.input = None;
        let status = self.child.wait().unwrap();
        assert!(!status.success(), "{}", self.said);
        let rest: Vec<String> = self.lines.iter().collect();
        format!("{}{}", self.said, rest.join("\n"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // If the test above has failed. The terminal goes with `script`, and the process with its
        // terminal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What each of the commands that are shown prints, with something to do; those that begin so.
fn clients(said: &str, begins: &str, to_do: &str) -> Vec<String> {
    let commands = said.lines().map(str::trim).filter(|line| line.starts_with(begins));
    let mut printed: Vec<String> = commands.map(|command| client(command, to_do)).collect();
    printed.sort();
    printed
}

fn client(line: &str, to_do: &str) -> String {
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{line} {to_do}")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_daemons_of_a_failed_test_run_until_enter() {
    let (root, kept) = (private_root(), private_root());
    let mut held = Held::under_a_terminal("of_two", "1", root.path(), kept.path());
    let said = held.wait_for("To go on, press Enter, or remove the file: rm ");
    let test = "shop::it::artifacts::hold::tests_that_fail_on_demand::of_two has failed. Its daemons run on:";
    assert!(said.contains(test), "{said}");
    assert_eq!(said.matches(", process ").count(), 2, "{said}");
    // The report comes before, for libtest shows the test's own output when it ends.
    assert!(said.find("\nredis ").unwrap() < said.find(test).unwrap(), "{said}");
    assert!(!said.contains("p4ss\" redis-cli"), "{said}");
    assert_eq!(clients(&said, "REDISCLI_AUTH=", "GET name"), ["", "text"]);
    held.enter("\n");
    let said = held.end();
    assert_eq!(said.matches("has failed. Its daemons").count(), 1, "{said}");
    assert!(said.contains("\n  kept  "), "{said}");
    assert_nothing_left(root.path());
}

#[test]
fn without_a_terminal_a_file_is_removed() {
    let (root, kept) = (private_root(), private_root());
    let precious = kept.path().join("precious");
    std::fs::write(&precious, "text").unwrap();
    let variable = format!("{PRECIOUS}={}", precious.display());
    let through = ["setsid", "--wait", "env", &variable];
    let mut held = Held::new("without_an_attribute", "1", &through, root.path(), kept.path());
    let said = held.wait_for("To go on, remove the file: rm ");
    let (_, file) = said.split_once("rm ").unwrap();
    let file = Path::new(file.split(". Ctrl-C").next().unwrap());
    assert!(file.starts_with(root.path()) && file.is_file(), "{said}");
    assert_eq!(clients(&said, "REDISCLI_AUTH=", "PING"), ["PONG"]);
    assert!(!file.is_symlink());
    std::fs::remove_file(file).unwrap();
    held.end();
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "text");
    assert_nothing_left(root.path());
}

#[test]
fn a_part_of_a_shared_server_is_held_too() {
    let (root, kept) = (private_root(), private_root());
    let mut held = Held::under_a_terminal("of_a_part", "1", root.path(), kept.path());
    let said = held.wait_for("To go on, press Enter, or remove");
    assert!(said.contains(", which tests share\n"), "{said}");
    assert_eq!(said.matches("\n  postgres ").count(), 1, "{said}");
    assert_eq!(clients(&said, "PGPASSWORD=", "-Atc 'SELECT id FROM orders'"), ["7"]);
    held.enter("\n");
    held.end();
}

#[test]
fn a_test_may_be_held_before_it_begins() {
    let (root, kept) = (private_root(), private_root());
    let mut held = Held::under_a_terminal("of_two", "always", root.path(), kept.path());
    let said = held.wait_for("To go on, press Enter");
    assert!(said.contains("of_two is about to begin, in process "), "{said}");
    assert_eq!(clients(&said, "REDISCLI_AUTH=", "EXISTS name"), ["0", "0"]);
    held.enter("\n");
    // And then, as it fails.
    held.wait_for("has failed. Its daemons run on:");
    held.wait_for("To go on, press Enter");
    held.enter("\n");
    held.end();
    assert_nothing_left(root.path());
}

#[test]
fn nothing_is_left_of_a_held_test_that_is_ended() {
    for signal in [None, Some(Signal::SIGKILL)] {
        let (root, kept) = (private_root(), private_root());
        let mut held = Held::under_a_terminal("without_an_attribute", "1", root.path(), kept.path());
        let said = held.wait_for("To go on, press Enter");
        match signal {
            // Ctrl-C.
            None => held.enter("\x03"),
            Some(signal) => {
                let processes = managed_daemons_tests::processes_of(root.path());
                assert!(!processes.is_empty(), "{said}");
                let test = test_process(root.path());
                kill(test, signal).unwrap();
            }
        }
        held.end();
        eventually_empty("ended", || managed_daemons_tests::processes_of(root.path()));
        assert_nothing_left(root.path());
    }
}

/// Nobody can tell the test to go on any more.
#[test]
fn a_held_test_ends_when_its_runner_is_killed() {
    let (root, kept) = (private_root(), private_root());
    // A shell that waits for it in place of a runner, and no terminal.
    let through = ["setsid", "--wait", "sh", "-c", "\"$@\"; exit 1", "sh"];
    let mut held = Held::new("without_an_attribute", "1", &through, root.path(), kept.path());
    held.wait_for("To go on, remove the file: rm ");
    let test = test_process(root.path());
    held.child.kill().unwrap();
    eventually_false("held", || kill(test, None).is_ok());
    assert_nothing_left(root.path());
    let test = "hold::tests_that_fail_on_demand::without_an_attribute";
    assert!(kept_of(kept.path(), test, "redis").join("dump.rdb").is_file());
}

/// The test process that works with this root: the one with the variable in its environment.
fn test_process(root: &Path) -> Pid {
    let variable = format!("MANAGED_DAEMONS_TMPDIR={}", root.display());
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        let is_test = String::from_utf8_lossy(&arguments).contains("/it-") && !arguments.starts_with(b"script");
        let has_variable = environment
            .split(|byte| *byte == 0)
            .any(|text| text == variable.as_bytes());
        (is_test && has_variable && !arguments.starts_with(b"sh\0")).then_some(pid)
    });
    Pid::from_raw(processes.max().unwrap())
}

#[test]
fn a_value_that_means_nothing_is_told() {
    let (root, kept) = (private_root(), private_root());
    let mut command = tests("hold::tests_that_fail_on_demand::of_two", root.path(), kept.path());
    let output = command.env("MANAGED_DAEMONS_HOLD", "forever").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let told = "`MANAGED_DAEMONS_HOLD` is \"forever\": use `1` for tests that fail, or `always`; no test is held";
    assert!(output.status.success() && said.contains(told), "{said}");
}

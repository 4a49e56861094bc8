//! Signals that are sent to `managed-daemons run`.

use std::process::{Command, Stdio};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::{run_in, words_of, Session};
use crate::support::{assert_nothing_left, eventually, private_root};

/// Prints the name of each signal that it gets, and ends with status 42 when its input ends.
const NOTE_SIGNALS: &str = "for name in HUP INT QUIT TERM USR1 USR2; do trap \"echo $name\" $name; done
    echo ready
    while :; do read -r line && exit 42; done";

/// Lets a command end that notes signals.
fn finish(session: &mut Session) {
    use std::io::Write;
    session.input.as_mut().unwrap().write_all(b"end\n").unwrap();
}

#[test]
fn each_signal_reaches_the_command_once() {
    let mut session = Session::spawn(&["redis"], NOTE_SIGNALS, |_| {});
    assert_eq!(session.line(), "ready");
    for signal in [
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGINT,
        Signal::SIGUSR2,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
    ] {
        session.send(signal);
        assert_eq!(format!("SIG{}", session.line()), signal.as_str());
    }
    finish(&mut session);
    assert_eq!(session.wait(), (42, String::new()));
    assert_nothing_left(session.root.path());
}

#[test]
fn the_status_says_which_signal_has_ended_the_command() {
    for signal in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ] {
        let mut session = Session::start(&["redis"]);
        session.send(signal);
        assert_eq!(session.wait(), (128 + signal as i32, String::new()));
        assert_nothing_left(session.root.path());
    }
}

#[test]
fn a_signal_that_is_ignored_stays_so() {
    let script = "trap 'echo TERM' TERM; kill -HUP $$ $PPID; echo ready; read -r line; exit 42";
    let mut session = Session::spawn(&["redis"], script, |_| {});
    // The command has ended itself: it does not ignore the signal.
    assert_eq!(session.wait(), (128 + Signal::SIGHUP as i32, String::new()));
    let root = private_root();
    let inner = run_in(root.path());
    let words = inner
        .get_args()
        .skip_while(|word| *word != crate::support::program!("command-line").as_os_str());
    let mut command = Command::new("nohup");
    command
        .args(words)
        .args(["redis", "--", "sh", "-c", script])
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(root.path());
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(42), &b"ready\n"[..]),
        "{output:?}"
    );
    assert_nothing_left(root.path());
}

#[test]
fn a_signal_while_daemons_start_leaves_nothing() {
    for (daemon, signal) in [
        ("rabbitmq", Signal::SIGTERM),
        ("mariadb", Signal::SIGINT),
        ("postgres", Signal::SIGHUP),
        ("redis", Signal::SIGTERM),
    ] {
        let root = private_root();
        let mut command = run_in(root.path());
        command.args([daemon, "--", "touch", "/no/such/file"]);
        let mut child = command.spawn().unwrap();
        eventually("begun", || {
            let mut entries = root.path().read_dir().unwrap().flatten();
            let is_of_daemon = |name: &str| name.starts_with("managed-daemons-");
            let found = entries.any(|entry| is_of_daemon(&entry.file_name().to_string_lossy()));
            found.then_some(()).ok_or("no directory")
        });
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let status = child.wait().unwrap();
        assert!(!status.success(), "{daemon}: {status}");
        assert_nothing_left(root.path());
    }
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let root = private_root();
    let inner = run_in(root.path());
    // Whether the signal came twice can be said once another one has come after it.
    let script = "trap 'echo INT >>log' INT; trap 'echo TERM >>log; exit 42' TERM; echo $$ >pid; \
                  while :; do sleep 0.01; done";
    let quote = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let words = inner.get_args().map(|word| quote(word.to_str().unwrap()));
    let line = [String::from("env")]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ");
    let line = format!("exec {line} redis -- sh -c {}", quote(script));
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("SHELL", "/bin/sh")
        .current_dir(root.path());
    let mut terminal = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut keys = terminal.stdin.take().unwrap();
    let pid: i32 = words_of(&root.path().join("pid"))[0].parse().unwrap();
    std::io::Write::write_all(&mut keys, b"\x03").unwrap();
    let log = root.path().join("log");
    assert_eq!(words_of(&log), ["INT"]);
    // Through `run`, after all that came before.
    let parent = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent = parent
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kill(Pid::from_raw(parent), Signal::SIGTERM).unwrap();
    let status = terminal.wait().unwrap();
    assert_eq!(
        (status.code(), words_of(&log)),
        (Some(42), vec!["INT".to_owned(), "TERM".to_owned()])
    );
    for name in ["pid", "log"] {
        std::fs::remove_file(root.path().join(name)).unwrap();
    }
    assert_nothing_left(root.path());
}

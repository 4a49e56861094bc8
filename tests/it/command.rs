//! `managed-daemons run`.

mod any_program;
mod errors;
mod failed_command;
mod hostile_values;
mod killed;
mod options;
mod other_daemons;
mod placeholders;
mod signals;
mod streams;
mod variables;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::mysql::block_on;
use crate::support::{assert_nothing_left, eventually, private_root, program};

/// Prints its environment, and waits until its standard input ends.
const TELL_AND_WAIT: &str = "env -0 && printf 'told\\0' && exec cat";

/// `managed-daemons run`, in an empty directory, with this root for its temporary files.
fn run_in(root: &Path) -> Command {
    // What a shell starts in the background ignores some signals, and so do its children.
    let mut command = Command::new("env");
    command
        .arg("--default-signal=HUP,INT,QUIT,TERM")
        .arg(program!("command-line"))
        .args(["run", "--no-file"])
        .current_dir(root)
        .env("MANAGED_DAEMONS_TMPDIR", root)
        .env("MANAGED_DAEMONS_KEEP", "never")
        .env("MANAGED_DAEMONS_REPORT", "never")
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs it to its end, and waits until nothing is left.
#[track_caller]
fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    let root = private_root();
    let output = run_in(root.path()).args(arguments).output().unwrap();
    assert_nothing_left(root.path());
    output
}

/// What a command prints that succeeds.
#[track_caller]
fn printed<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(0), ""));
    text(&output.stdout)
}

/// The message of a run that does not get as far as its command.
#[track_caller]
fn refusal<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let output = run(arguments);
    let (said, message) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), &*said), (Some(125), ""), "{message}");
    let message = message.strip_prefix("managed-daemons: ").unwrap();
    message.strip_suffix('\n').unwrap().to_owned()
}

/// A run whose command waits. It is killed when it is dropped.
struct Session {
    root: TempDir,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    variables: BTreeMap<String, String>,
}

impl Session {
    /// Runs daemons, and waits until the command runs.
    #[track_caller]
    fn start<S: AsRef<OsStr>>(daemons: &[S]) -> Self {
        Self::start_with(daemons, |_| {})
    }

    #[track_caller]
    fn start_with<S: AsRef<OsStr>>(daemons: &[S], change: impl FnOnce(&mut Command)) -> Self {
        let mut session = Self::spawn(daemons, TELL_AND_WAIT, change);
        loop {
            let mut entry = Vec::new();
            session.output.read_until(0, &mut entry).unwrap();
            let entry = entry.strip_suffix(b"\0").expect("it ended before the command ran");
            let entry = String::from_utf8_lossy(entry);
            match entry.split_once('=') {
                Some((name, value)) => session.variables.insert(name.to_owned(), value.to_owned()),
                None => return session,
            };
        }
    }

    /// Runs daemons for a script.
    #[track_caller]
    fn spawn<S: AsRef<OsStr>>(daemons: &[S], script: &str, change: impl FnOnce(&mut Command)) -> Self {
        let root = private_root();
        let mut command = run_in(root.path());
        command.args(daemons).args(["--", "sh", "-c", script]);
        change(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            variables: BTreeMap::new(),
            root,
            child,
        }
    }

    #[track_caller]
    fn var(&self, name: &str) -> &str {
        let value = self.variables.get(name);
        value.unwrap_or_else(|| panic!("no `{name}` in {:#?}", self.variables))
    }

    fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// The next line that the command prints.
    #[track_caller]
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits for the end, and returns the exit status, or the negative number of the signal that has ended
    /// `run`, and what was printed since.
    #[track_caller]
    fn wait(&mut self) -> (i32, String) {
        use std::os::unix::process::ExitStatusExt;
        let mut printed = String::new();
        self.output.read_to_string(&mut printed).unwrap();
        let status = self.child.wait().unwrap();
        let code = status.code().or_else(|| status.signal().map(|signal| -signal));
        (code.unwrap(), printed)
    }

    /// Lets the command end, and waits until nothing is left.
    #[track_caller]
    fn end(mut self) {
        self.input = None;
        assert_eq!(self.wait(), (0, String::new()));
        assert_nothing_left(self.root.path());
    }

    fn redis(&self) -> redis::Connection {
        connect(self.var("REDIS_URL"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // If it has ended, this does nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn connect(url: &str) -> redis::Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

/// Redis's value of a setting.
#[track_caller]
fn redis_setting(connection: &mut redis::Connection, name: &str) -> String {
    let answer: redis::RedisResult<(String, String)> = redis::cmd("CONFIG").arg(&["GET", name]).query(connection);
    answer.unwrap().1
}

/// The first column of the first row, from PostgreSQL.
fn postgres_one(url: &str, sql: &str) -> sqlx::Result<String> {
    block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        let value = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(value)
    })
}

/// A file with this text, which daemons can read.
fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// Waits until a file has text that ends with the end of a line, and returns its words.
#[track_caller]
fn words_of(path: &Path) -> Vec<String> {
    let mut words = Vec::new();
    eventually("written", || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        words = text.split_whitespace().map(str::to_owned).collect();
        text.ends_with('\n').then_some(()).ok_or(text)
    });
    words
}

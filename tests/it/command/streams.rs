//! The command has our standard input, output and error.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::{run_in, Session};
use crate::support::{assert_nothing_left, private_root};

#[test]
fn bytes_pass_as_they_are() {
    let root = private_root();
    let bytes: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut command = run_in(root.path());
    command.args(["redis", "--", "sh", "-c", "tee /dev/stderr"]);
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut input, sent) = (child.stdin.take().unwrap(), bytes.clone());
    let writer = std::thread::spawn(move || input.write_all(&sent));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == bytes && output.stderr == bytes);
    assert_nothing_left(root.path());
}

#[test]
fn arguments_pass_as_they_are() {
    let words = [
        "redis",
        "--",
        "printf",
        "%s|",
        "--port",
        "",
        "a b",
        "--",
        "'\"$x\\\n",
        "-h",
        "{redis.url}",
    ];
    assert_eq!(super::printed(&words), "--port||a b|--|'\"$x\\\n|-h|{redis.url}|");
}

#[test]
fn a_command_may_close_its_streams() {
    let mut session = Session::spawn(&["redis"], "exec <&- >&- 2>&-; exit 7", |_| {});
    // Its end is seen although we still hold the other end of its input.
    let mut rest = String::new();
    session.output.read_to_string(&mut rest).unwrap();
    assert_eq!((session.child.wait().unwrap().code(), &*rest), (Some(7), ""));
    assert_nothing_left(session.root.path());
}

#[test]
fn our_streams_may_be_closed() {
    let root = private_root();
    let mut command = Command::new("sh");
    let inner = run_in(root.path());
    command
        .args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"])
        .arg(inner.get_program());
    let set = inner.get_envs().filter_map(|(name, value)| Some((name, value?)));
    command.args(inner.get_args()).envs(set).current_dir(root.path());
    let file = root.path().join("urls");
    let script = "echo $REDIS_URL >urls; exit 9";
    let status = command.args(["redis", "--", "sh", "-c", script]).status().unwrap();
    assert_eq!(status.code(), Some(9));
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("redis://:"));
    std::fs::remove_file(file).unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn a_reader_that_goes_away_ends_the_command() {
    let root = private_root();
    let mut command = run_in(root.path());
    command.args(["redis", "--", "yes"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 2];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!((&first, child.wait().unwrap().code()), (b"y\n", Some(128 + 13)));
    assert_nothing_left(root.path());
}

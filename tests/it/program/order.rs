//! Daemons whose options use others.

#![deny(unused)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use managed_daemons::{with_command, with_redis, CommandDaemon, RedisDaemon};
use nix::sys::stat::Mode;

#[with_command(
    "sh",
    args("-c", "echo $QUEUE $CACHE; touch ready; sleep 100"),
    env("QUEUE", queue.url()),
    env("CACHE", format!("{}", cache.url())),
    ready_file = "ready",
    arg = worker
)]
#[with_redis(arg = queue)]
#[with_redis(arg = cache)]
#[test]
fn the_one_that_needs_others_starts_after_them(worker: CommandDaemon, cache: &RedisDaemon, queue: RedisDaemon) {
    assert_eq!(worker.log().unwrap(), format!("{} {}\n", queue.url(), cache.url()));
}

#[with_command("sh", args("-c", "touch ready; sleep 100"), ready_file = "ready", arg = first)]
#[with_command(
    "sh",
    args("-c", format!("echo {}; touch ready; sleep 100", first.port())),
    ready_file = "ready",
    arg = second
)]
#[with_command(
    "sh",
    args("-c", format!("echo {}; touch ready; sleep 100", second.port())),
    ready_file = "ready",
    arg = third
)]
#[tokio::test]
async fn a_chain_starts_in_its_order(third: CommandDaemon, second: CommandDaemon, first: CommandDaemon) {
    assert_eq!(second.log().unwrap(), format!("{}\n", first.port()));
    assert_eq!(third.log().unwrap(), format!("{}\n", second.port()));
}

#[with_redis]
#[with_command("sh", args("-c", "touch ready; sleep 100"), env("QUEUE", queue.url()), ready_file = "ready")]
#[test]
fn a_daemon_that_only_options_use_is_no_unused_variable(queue: RedisDaemon, worker: CommandDaemon) {
    assert!(worker.is_running());
}

#[with_redis(arg = redis, setting("maxmemory", std::convert::identity("8mb")))]
#[with_command("sh", args("-c", "echo {port}; touch ready; sleep 100"), ready_file = "ready")]
#[test]
fn a_name_in_a_path_or_a_placeholder_is_no_daemon(redis: RedisDaemon, command: CommandDaemon) {
    assert_eq!(command.log().unwrap(), format!("{}\n", command.port()));
    assert!(redis.is_running());
}

/// Where the programs of the test below meet.
fn meetings() -> PathBuf {
    std::env::temp_dir().join(format!("managed-daemons-meetings-{}", std::process::id()))
}

/// A script that is ready once another one has come to this meeting: opening a FIFO waits for its other end.
fn meets(meeting: &str, direction: char) -> String {
    let fifo = meetings().join(meeting);
    std::fs::create_dir_all(meetings()).unwrap();
    if !fifo.exists() {
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    }
    for path in [&meetings(), &fifo] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    format!("exec {direction}{}; touch ready; sleep 100", fifo.display())
}

#[with_command("sh", args("-c", meets("first", '>')), ready_file = "ready", arg = a)]
#[with_command(
    "sh",
    args("-c", meets("second", '>')),
    env("OTHER", a.url("tcp")),
    ready_file = "ready",
    arg = b
)]
#[with_command("sh", args("-c", meets("first", '<')), ready_file = "ready", arg = c)]
#[with_command(
    "sh",
    args("-c", meets("second", '<')),
    env("OTHER", c.url("tcp")),
    ready_file = "ready",
    arg = d
)]
#[test]
fn all_that_can_start_together_do(a: CommandDaemon, b: CommandDaemon, c: CommandDaemon, d: CommandDaemon) {
    std::fs::remove_dir_all(meetings()).unwrap();
    assert!([a, b, c, d].iter().all(CommandDaemon::is_running));
}

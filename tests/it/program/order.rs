//! Daemons whose options use others.

#![deny(unused)]

use managed_daemons::{with_command, with_redis, CommandDaemon, RedisDaemon};

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

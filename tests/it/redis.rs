//! Redis: what only it has.

mod cluster;
mod config_file;
mod init_file;
pub(crate) mod options;
mod passwords;
mod replicas;
mod sentinel;

use managed_daemons::RedisDaemon;

use crate::support::connect;

/// What a server answers to a command.
fn ask<T: redis::FromRedisValue>(server: &RedisDaemon, command: &[&str]) -> redis::RedisResult<T> {
    redis::cmd(command[0]).arg(&command[1..]).query(&mut connect(server)?)
}

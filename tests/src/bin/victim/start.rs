//! Starts one daemon with default options, for tests of machines on which it can't.

use std::time::Duration;

use managed_daemons::{
    ApacheDaemon, Builder, Daemon, MemcachedDaemon, NginxDaemon, RabbitMqDaemon, RedisDaemon, Result,
};
use managed_daemons_tests::{mariadb, mysql, postgres};

/// Longer than any test may take. So a start that fails has not waited for it.
const FAR: Duration = Duration::from_secs(3600);

/// The start of the daemon of this name.
pub(crate) fn of(daemon: &str) -> Option<fn() -> Result<()>> {
    let start: fn() -> Result<()> = match daemon {
        "apache" => || start(ApacheDaemon::builder()),
        "mariadb" => || start(mariadb()),
        "memcached" => || start(MemcachedDaemon::builder()),
        "mysql" => || start(mysql()),
        "nginx" => || start(NginxDaemon::builder()),
        "postgres" => || start(postgres()),
        "rabbitmq" => || start(RabbitMqDaemon::builder()),
        "redis" => || start(RedisDaemon::builder()),
        _ => return None,
    };
    Some(start)
}

fn start<D: Daemon>(builder: Builder<D>) -> Result<()> {
    builder.start_timeout(FAR).start().map(drop)
}

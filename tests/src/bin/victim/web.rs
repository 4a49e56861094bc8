//! nginx, Apache and memcached.

use managed_daemons::{ApacheDaemon, MemcachedDaemon, NginxDaemon, Result};

/// Starts, reloads and drops servers, over and over.
pub(crate) fn churn() -> Result<()> {
    std::thread::scope(|scope| {
        scope.spawn(|| loop {
            if let Ok(nginx) = NginxDaemon::start() {
                let _ = nginx.reload();
            }
        });
        scope.spawn(|| loop {
            if let Ok(apache) = ApacheDaemon::start() {
                let _ = apache.graceful();
            }
        });
        scope.spawn(|| loop {
            drop(MemcachedDaemon::builder().unix_socket().start());
        });
    });
    Ok(())
}

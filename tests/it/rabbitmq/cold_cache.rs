//! A cache in which RabbitMQ is installed but not prepared yet.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use managed_daemons::{BinaryRequest, BinarySpec};

/// Makes such a cache below `dir`, with the installation that this process uses.
pub(super) fn cold_cache_in(dir: &Path) -> PathBuf {
    let cache = dir.join("cache");
    std::fs::create_dir(&cache).unwrap();
    let rabbitmq = BinarySpec::named("rabbitmq").unwrap();
    // The system's own installation is in no cache.
    if let Some(root) = rabbitmq.locate(&BinaryRequest::default()).unwrap().prefix {
        symlink(root.ancestors().nth(2).unwrap(), cache.join("store")).unwrap();
    }
    cache
}

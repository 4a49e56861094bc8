//! Processes of their own, in which something is done that this one can't do, or should not outlive.

use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use managed_daemons::{Installation, Wanted};

/// A process that runs one of `victims`, with its temporary files below `root`, and another cache than this process if one is named.
pub(super) fn victim(name: &str, root: &Path, cache: Option<&Path>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--ignored", &format!("rabbitmq::victims::{name}")])
        .env("MANAGED_DAEMONS_TMPDIR", root)
        .env("MANAGED_DAEMONS_KEEP", "never")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(cache) = cache {
        command.env("MANAGED_DAEMONS_CACHE", cache);
    }
    command
}

/// A cache that has the installation which this process uses, and nothing that was prepared from it.
pub(super) fn cold_cache_in(dir: &Path) -> PathBuf {
    let cache = dir.join("cache");
    std::fs::create_dir(&cache).unwrap();
    let rabbitmq = Installation::named("rabbitmq").unwrap();
    // Of a system's own there is nothing to be had from a cache.
    if let Some(root) = rabbitmq.locate(&Wanted::default()).unwrap().prefix {
        symlink(root.ancestors().nth(2).unwrap(), cache.join("store")).unwrap();
    }
    cache
}

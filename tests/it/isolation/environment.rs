//! A daemon's user and environment.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;

use managed_daemons::{with_redis, RedisDaemon};

use crate::support::{is_root, unruly};

#[with_redis]
#[test]
fn a_daemon_runs_as_an_unprivileged_user(daemon: RedisDaemon) {
    let owner = std::fs::metadata(format!("/proc/{}", daemon.pid().unwrap()))
        .unwrap()
        .uid();
    let me = nix::unistd::geteuid().as_raw();
    assert_ne!(owner, 0);
    assert_eq!(owner == me, !is_root());
    assert_eq!(std::fs::metadata(daemon.working_dir()).unwrap().uid(), owner);
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid().unwrap())).unwrap();
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
    assert!(!is_root() || groups.trim().is_empty(), "supplementary groups: {groups}");
}

#[test]
fn a_daemon_inherits_no_environment_variables() {
    let daemon = unruly("tame").env("ASKED_FOR", "this one").start().unwrap();
    let environment = std::fs::read(format!("/proc/{}/environ", daemon.pid().unwrap())).unwrap();
    let names: HashSet<&str> = environment
        .split(|byte| *byte == 0)
        .filter_map(|item| std::str::from_utf8(item).ok()?.split('=').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(
        names,
        HashSet::from(["PATH", "HOME", "MANAGED_DAEMONS_DIR", "ASKED_FOR"])
    );
}

//! A parent that ignores SIGCHLD: its children inherit that, and are told nothing of theirs.

use super::every_daemon::{after, assert_work, ALL};
use crate::install::probe::{cache_with_redis, public_directory, stored, Probe};

const IGNORE: &str = "trap '' CHLD";

#[test]
fn every_daemon_works() {
    assert_work(&after(IGNORE), &ALL, |_| {});
}

#[test]
fn a_good_installation_is_found_whole() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let before = stored(&cache, "redis");
    let probe = Probe::new("redis", &cache)
        .var("MANAGED_DAEMONS_PROVISION", "only")
        .verifying();
    let answer = probe
        .through(&["/bin/sh", "-c", &format!("{IGNORE}; exec \"$@\""), "sh"])
        .ask();
    assert_eq!(answer.found()["verified"], "whole");
    assert_eq!(stored(&cache, "redis"), before);
}

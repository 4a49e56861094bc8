//! A umask that takes rights even from the owner.

use super::every_daemon::{after, assert_work, cache_without_templates, ALL};
use crate::install::probe::{cache_with_lists, public_directory, OrdinaryUser, Probe};

#[test]
fn every_daemon_makes_its_data_and_works_under_umask_0777() {
    let (_dir, cache) = cache_without_templates();
    // The second time finds what the first has made.
    for _ in 0..2 {
        assert_work(&after("umask 0777"), &ALL, |command| {
            command.env("MANAGED_DAEMONS_CACHE", &cache);
        });
    }
}

#[test]
fn daemons_make_their_data_and_work_under_umasks_0377_and_0277() {
    for umask in ["umask 0377", "umask 0277"] {
        let (_dir, cache) = cache_without_templates();
        assert_work(&after(umask), &["redis", "postgres", "mariadb", "apache"], |command| {
            command.env("MANAGED_DAEMONS_CACHE", &cache);
        });
    }
}

/// Daemons run as another user, who has to reach what is in root's cache.
#[test]
fn rabbitmq_is_prepared_under_umask_0077() {
    let (_dir, cache) = cache_without_templates();
    assert_work(&after("umask 0077"), &["rabbitmq"], |command| {
        command.env("MANAGED_DAEMONS_CACHE", &cache);
    });
}

#[test]
fn what_is_fetched_under_umask_0777_serves_later_runs() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let user = OrdinaryUser::new();
    user.give(&cache);
    let fetch = Probe::fetching("redis", &cache).run_by(&user).verifying();
    let answer = fetch.through(&["/bin/sh", "-c", "umask 0777; exec \"$@\"", "sh"]).ask();
    assert_eq!(answer.found()["verified"], "whole");
    let later = Probe::fetching("redis", &cache).run_by(&user).verifying().ask();
    assert_eq!(later.found()["verified"], "whole");
    assert!(!later.stderr.contains("fetched"), "{}", later.stderr);
}

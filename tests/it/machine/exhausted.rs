//! No more files or processes: what can't be checked then may be as good as it was.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use super::every_daemon::{after, every_daemon, output_of};
use crate::install::probe::{cache_with_redis, public_directory, stored, unfinished, Probe};
use crate::support::{is_root, private_root};

/// Fails unless the cache has this installation of Redis still, whole and in its place.
#[track_caller]
fn assert_untouched(cache: &Path, before: &[std::path::PathBuf]) {
    assert_eq!(stored(cache, "redis"), before);
    assert_eq!(unfinished(cache), [""; 0]);
    let later = Probe::fetching("redis", cache).verifying().ask();
    assert_eq!(later.found()["verified"], "whole");
    assert_eq!(later.stderr, "");
}

#[test]
fn servers_up_to_the_limit_of_open_files_leave_a_good_installation_alone() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let before = stored(&cache, "redis");
    let root = private_root();
    let mut command = every_daemon(&after("ulimit -n 60"), root.path(), &["redis-until-failure"]);
    Probe::fetching("redis", &cache).set_environment(&mut command);
    let kept = directory.path().join("kept");
    command
        .env("MANAGED_DAEMONS_TMPDIR", root.path())
        .env("MANAGED_DAEMONS_KEEP_DIR", &kept);
    let printed = output_of(command);
    assert!(printed.contains("Too many open files"), "{printed}");
    // A copy of the working directory is whole, or is not there.
    for test in std::fs::read_dir(&kept).into_iter().flatten() {
        for copy in std::fs::read_dir(test.unwrap().path()).unwrap() {
            let path = copy.unwrap().path();
            assert!(path.join("service.conf").is_file(), "{path:?}");
        }
    }
    assert!(!printed.contains("set aside"), "{printed}");
    assert_untouched(&cache, &before);
}

/// Each limit stops the search at another step.
#[test]
fn a_search_with_too_few_open_files_fetches_and_changes_nothing() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let before = stored(&cache, "redis");
    let mut refused = 0;
    for limit in 3..16 {
        let probe = Probe::fetching("redis", &cache).verifying();
        let limit = format!("ulimit -n {limit}; exec \"$@\"");
        let output = probe
            .through(&["/bin/sh", "-c", &limit, "sh"])
            .command()
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("fetched"), "{limit}: {errors}");
        assert!(!printed.contains("set aside"), "{limit}: {printed}");
        refused += usize::from(printed.contains("Too many open files"));
        assert_eq!(stored(&cache, "redis"), before, "{limit}: {printed}");
    }
    assert!(refused > 0, "no limit was too low");
    assert_untouched(&cache, &before);
}

#[test]
fn a_search_with_too_few_processes_fetches_and_changes_nothing() {
    if !is_root() {
        println!("not tested: the limit counts all processes of the user; only root can take one without any");
        return;
    }
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let before = stored(&cache, "redis");
    let given = Command::new("chown").args(["-R", "12346:12346"]).arg(&cache).status();
    assert!(given.unwrap().success());
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|dir| dir.join("setpriv"));
    let setpriv = places.find(|place| place.is_file()).unwrap();
    let mut refused = 0;
    for limit in 1..8 {
        let limited = format!("--nproc={limit}:{limit}");
        let setpriv = setpriv.to_str().unwrap();
        let wrapper = [
            "prlimit",
            &limited,
            setpriv,
            "--reuid=12346",
            "--regid=12346",
            "--clear-groups",
        ];
        let probe = Probe::fetching("redis", &cache).verifying().through(&wrapper);
        let output = probe.command().output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("fetched"), "{limit}: {errors}");
        assert!(!printed.contains("set aside"), "{limit}: {printed}");
        refused += usize::from(!printed.contains("\"verified\":\"whole\""));
        assert_eq!(stored(&cache, "redis"), before, "{limit}: {printed}");
    }
    assert!(refused > 0, "no limit was too low");
    let given = Command::new("chown").args(["-R", "0:0"]).arg(&cache).status();
    assert!(given.unwrap().success());
    assert_untouched(&cache, &before);
}

#[test]
fn a_template_that_cannot_be_read_is_not_replaced() {
    let root = private_root();
    let (_dir, cache) = super::every_daemon::cache_without_templates();
    let start = |limit: Option<u32>| {
        let limit = limit.map_or(String::from("true"), |limit| format!("ulimit -n {limit}"));
        let mut command = every_daemon(&after(&limit), root.path(), &["start", "postgres"]);
        command.env("MANAGED_DAEMONS_CACHE", &cache);
        command.output().unwrap();
    };
    let made = || {
        let templates = cache.join("templates").read_dir().unwrap().map(|entry| entry.unwrap());
        let templates = templates.filter(|entry| entry.file_type().unwrap().is_dir());
        let mut made: Vec<_> = templates
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().ino()))
            .collect();
        made.sort();
        made
    };
    start(None);
    let before = made();
    assert_eq!(before.len(), 1);
    for limit in 8..20 {
        start(Some(limit));
        assert_eq!(made(), before, "limit {limit}");
    }
}

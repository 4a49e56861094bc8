//! Daemons from the distribution's packages, without root.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::probe::{cache_with_lists, cache_with_redis, public_directory, stored, unfinished, OrdinaryUser, Probe};
use crate::support::is_root;

#[test]
fn redis_is_fetched_and_runs() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let answer = Probe::fetching("redis", &cache)
        .tools(&["redis-cli", "redis-benchmark"])
        .verifying()
        .ask();
    assert!(answer.path().starts_with(cache.join("store")), "{}", answer.value);
    assert_eq!(answer.text("origin"), "fetched, apt");
    assert_eq!(answer.found()["verified"], "whole");
    assert_eq!(answer.found()["tools"].as_array().unwrap().len(), 2);
    let lines: Vec<_> = answer.stderr.lines().collect();
    assert!(lines[0].contains("fetching redis into"), "{lines:?}");
    assert!(
        lines[0].contains("MANAGED_DAEMONS_PROVISION=never turns this off"),
        "{lines:?}"
    );
    assert!(lines[1].contains("fetched redis@"), "{lines:?}");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(unfinished(&cache), [""; 0]);
}

#[test]
fn a_fetched_daemon_is_found_without_a_message() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let answer = Probe::fetching("redis", &cache).ask();
    assert_eq!(answer.text("origin"), "fetched, apt");
    assert_eq!(answer.stderr, "");
}

#[test]
fn an_ordinary_user_without_a_home_can_fetch() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let user = OrdinaryUser::new();
    user.give(&cache);
    let answer = Probe::fetching("redis", &cache)
        .run_by(&user)
        .var("HOME", "/nonexistent")
        .tools(&["redis-cli"])
        .ask();
    assert!(answer.path().starts_with(&cache));
}

#[test]
fn an_ordinary_user_can_run_what_root_fetched_under_any_umask() {
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let strict = ["sh", "-c", "umask 077; exec \"$@\"", "sh"];
    Probe::fetching("redis", &cache).through(&strict).ask().found();
    let user = OrdinaryUser::new();
    let answer = Probe::fetching("redis", &cache)
        .run_by(&user)
        .tools(&["redis-cli"])
        .verifying()
        .ask();
    assert_eq!(answer.found()["verified"], "whole");
}

#[test]
fn no_fetched_program_is_setuid() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let mut left = vec![cache.join("store")];
    while let Some(path) = left.pop() {
        let metadata = path.symlink_metadata().unwrap();
        assert!(
            metadata.is_symlink() || metadata.mode() & 0o6022 == 0,
            "{}: {:o}",
            path.display(),
            metadata.mode()
        );
        if metadata.is_dir() {
            left.extend(path.read_dir().unwrap().map(|e| e.unwrap().path()));
        }
    }
}

#[test]
fn the_systems_hooks_and_package_lists_are_left_alone() {
    let directory = public_directory();
    let marker = directory.path().join("hook-ran");
    let hooks = directory.path().join("hooks.conf");
    let touch = format!("{{ \"touch {}\"; }};\n", marker.display());
    let names = [
        "APT::Update::Pre-Invoke",
        "APT::Update::Post-Invoke",
        "APT::Update::Post-Invoke-Success",
    ];
    std::fs::write(&hooks, names.map(|n| format!("{n} {touch}")).concat()).unwrap();
    let newest = || {
        let lists = Path::new("/var/lib/apt/lists")
            .read_dir()
            .into_iter()
            .flatten()
            .flatten();
        lists.filter_map(|e| e.metadata().ok()?.modified().ok()).max()
    };
    let before = newest();
    let cache = directory.path().join("cache");
    let probe = Probe::fetching("redis", &cache).var("APT_CONFIG", hooks.to_str().unwrap());
    probe.ask().found();
    assert!(!marker.exists(), "a hook of the system ran");
    assert_eq!(newest(), before, "the system's lists changed");
}

#[test]
fn a_named_binary_in_the_store_finds_its_libraries() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let found = Probe::fetching("redis", &cache).ask();
    let named = Probe::fetching("redis", &cache)
        .named(&found.path())
        .tools(&["redis-cli"])
        .ask();
    assert_eq!(named.found()["env"], found.found()["env"]);
    assert_eq!(named.text("version"), found.text("version"));
}

#[test]
fn provision_never_fetches_nothing_but_uses_the_cache() {
    let directory = public_directory();
    let cold = directory.path().join("cold");
    // No system has this program installed.
    let error = Probe::of_program("managed-daemons-no-such-program", "", &cold)
        .ask()
        .error();
    assert!(
        error.contains("nothing is fetched because MANAGED_DAEMONS_PROVISION is `never`"),
        "{error}"
    );
    let cache = cache_with_redis(directory.path());
    let version = Probe::fetching("redis", &cache).ask().text("version");
    let probe = Probe::new("redis", &cache).var("MANAGED_DAEMONS_PROVISION", "never");
    let answer = probe.version(&version).ask();
    assert_eq!(answer.text("version"), version);
    assert!(answer.stderr.is_empty(), "{}", answer.stderr);
}

#[test]
fn a_version_that_no_source_has_is_reported_with_those_there_are() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let error = Probe::fetching("redis", &cache).version("99").ask().error();
    assert!(error.contains("apt: has version"), "{error}");
    assert!(error.contains("npm: no package of it is known"), "{error}");
    assert!(
        error.contains(&format!("`{}`: version", stored(&cache, "redis")[0].display())),
        "{error}"
    );
    assert!(
        error.contains("install one by hand and name it with MANAGED_DAEMONS_REDIS_BIN"),
        "{error}"
    );
}

#[test]
fn a_cache_with_a_space_in_its_name_works() {
    let directory = public_directory();
    let cache = directory.path().join("a cache é");
    let answer = Probe::fetching("redis", &cache).tools(&["redis-cli"]).verifying().ask();
    assert_eq!(answer.found()["verified"], "whole");
}

#[test]
fn a_fetched_redis_answers() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let answer = Probe::fetching("redis", &cache).serving().ask();
    let store = stored(&cache, "redis");
    assert!(answer.path().starts_with(&store[0]), "{}", answer.value);
    assert_eq!(answer.found()["pong"], "PONG");
}

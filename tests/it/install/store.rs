//! Damaged caches and other users' caches: programs in the store are executed, so they are checked
//! first.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::probe::{
    assert_recovers, cache_with_lists, cache_with_redis, public_directory, stored, unfinished, OrdinaryUser, Probe,
};
use crate::support::is_root;

#[test]
fn a_damaged_installation_is_set_aside_and_fetched_again() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let program = Probe::fetching("redis", &cache).ask().path().canonicalize().unwrap();
    let mut changed = std::fs::read(&program).unwrap();
    changed.push(0);
    std::fs::write(&program, changed).unwrap();
    assert_fetched_again(&cache);
    for name in ["libjemalloc.so.2", "libcrypto.so.3"] {
        let library = stored(&cache, "redis")[0].join("root/usr/lib").read_dir().unwrap();
        let library = library.map(|e| e.unwrap().path().join(name)).find(|p| p.is_file());
        let Some(library) = library else {
            // Not every release has this library.
            continue;
        };
        std::fs::remove_file(library).unwrap();
        assert_fetched_again(&cache);
    }
}

fn assert_fetched_again(cache: &Path) {
    let answer = Probe::fetching("redis", cache).verifying().ask();
    assert_eq!(answer.found()["verified"], "whole");
    assert!(answer.stderr.contains("fetched redis@"), "{}", answer.stderr);
    assert_eq!(stored(cache, "redis").len(), 1);
    assert!(Probe::fetching("redis", cache).ask().stderr.is_empty());
    // The damaged installation can be looked at until the next fetch.
    assert!(
        unfinished(cache).iter().any(|n| n.starts_with("redis@damaged-")),
        "{:?}",
        unfinished(cache)
    );
}

#[test]
fn the_full_check_finds_a_change_that_keeps_size_and_time() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let program = Probe::fetching("redis", &cache).ask().path().canonicalize().unwrap();
    let modified = program.metadata().unwrap().modified().unwrap();
    let mut changed = std::fs::read(&program).unwrap();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    std::fs::write(&program, changed).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&program)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    std::fs::write(stored(&cache, "redis")[0].join("root/usr/extra"), "").unwrap();
    let answer = Probe::fetching("redis", &cache).verifying().ask();
    let verified = answer.text("verified");
    assert!(verified.contains("its content differs"), "{verified}");
    assert!(verified.contains("`usr/extra`: it does not belong there"), "{verified}");
    assert!(verified.contains("it was set aside"), "{verified}");
    assert!(stored(&cache, "redis").is_empty());
    assert_recovers(&cache);
}

#[test]
fn an_installation_with_a_damaged_manifest_is_set_aside() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let manifest = stored(&cache, "redis")[0].join("manifest");
    let whole = std::fs::read_to_string(&manifest).unwrap();
    let half = whole[..whole.len() / 2].to_owned();
    let no_end = whole.trim_end().to_owned();
    let other = whole.replacen("\"version\":\"", "\"version\":\"1", 1);
    for damaged in [
        String::new(),
        half,
        no_end,
        other,
        whole.repeat(2),
        String::from("\u{0}"),
    ] {
        std::fs::write(&manifest, &damaged).unwrap();
        let error = Probe::fetching("redis", &cache)
            .version("99")
            .var("http_proxy", "http://127.0.0.1:9")
            .ask();
        assert!(error.error().contains("its manifest is damaged"), "{}", error.error());
        // The search has set it aside.
        assert!(stored(&cache, "redis").is_empty());
        std::fs::create_dir_all(cache.join("store")).unwrap();
        restore(&cache);
    }
    std::fs::remove_file(&manifest).unwrap();
    assert_fetched_again(&cache);
}

/// Puts back the installation that was set aside.
fn restore(cache: &Path) {
    let aside = cache.join("tmp").read_dir().unwrap().map(|e| e.unwrap().path());
    let aside = aside.max_by_key(|p| p.metadata().unwrap().modified().unwrap()).unwrap();
    let name = aside.file_name().unwrap().to_str().unwrap().to_owned();
    let (_, name) = name.split_once("damaged-").unwrap().1.split_once('-').unwrap();
    std::fs::rename(&aside, cache.join("store").join(name)).unwrap();
}

#[test]
fn a_read_only_cache_is_used() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let user = OrdinaryUser::new();
    if is_root() {
        // Root's cache, an ordinary user's test.
        let answer = Probe::fetching("redis", &cache)
            .run_by(&user)
            .tools(&["redis-cli"])
            .ask();
        assert!(answer.path().starts_with(&cache));
        std::fs::remove_dir_all(stored(&cache, "redis")[0].as_path()).unwrap();
    } else {
        std::fs::remove_dir_all(cache.join("store")).unwrap();
        std::fs::set_permissions(&cache, Permissions::from_mode(0o555)).unwrap();
    }
    let error = Probe::fetching("redis", &cache).run_by(&user).ask().error();
    assert!(error.contains("Permission denied"), "{error}");
    assert!(
        error.contains("MANAGED_DAEMONS_CACHE names another place for the cache"),
        "{error}"
    );
    assert!(error.contains("MANAGED_DAEMONS_REDIS_BIN"), "{error}");
    std::fs::set_permissions(&cache, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn programs_in_another_users_cache_are_not_executed() {
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let user = OrdinaryUser::new();
    user.give(&cache);
    let error = Probe::fetching("redis", &cache).ask().error();
    assert!(
        error.contains("belongs to another user (uid 65534), whose programs are not executed"),
        "{error}"
    );
}

#[test]
fn programs_in_a_world_writable_cache_are_not_executed() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    std::fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
    let error = Probe::fetching("redis", &cache).ask().error();
    assert!(error.contains("can be written by every user (mode 0777)"), "{error}");
}

#[test]
fn programs_in_a_cache_that_a_group_can_write_are_executed_only_if_the_user_is_alone_in_it() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    std::fs::set_permissions(&cache, Permissions::from_mode(0o775)).unwrap();
    assert!(Probe::fetching("redis", &cache).ask().path().starts_with(&cache));
    if is_root() {
        // The group `users` of most systems; in any case not root's own.
        std::os::unix::fs::chown(&cache, None, Some(100)).unwrap();
        let error = Probe::fetching("redis", &cache).ask().error();
        assert!(error.contains("can be written by group 100 (mode 0775)"), "{error}");
    }
}

#[test]
fn a_path_into_the_store_is_checked_as_any_other() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let redis = Probe::fetching("redis", &cache).ask().path();
    let named = |path: &Path| Probe::fetching("redis", &cache).var("MANAGED_DAEMONS_REDIS_BIN", path.to_str().unwrap());
    assert_eq!(named(&redis).ask().path(), redis);
    let error = named(&redis.with_file_name("redis-nothing")).ask().error();
    assert!(error.contains("not there, or not executable"), "{error}");
    let error = named(&redis.with_file_name("redis-cli")).ask().error();
    assert!(error.contains("printed no version, but `redis-cli"), "{error}");
    let memcached = Probe::fetching("memcached", &cache).ask().path();
    let error = named(&memcached).ask().error();
    assert!(error.contains("`memcached"), "{error}");
}

#[test]
fn a_cache_that_the_daemons_user_cannot_read_is_refused_before_a_download() {
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let hidden = directory.path().join("home");
    std::fs::create_dir(&hidden).unwrap();
    std::fs::set_permissions(&hidden, Permissions::from_mode(0o700)).unwrap();
    let error = Probe::fetching("redis", &hidden.join("cache")).ask().error();
    assert!(
        error.contains("what is fetched could not be run: daemons run as user `nobody`"),
        "{error}"
    );
    assert!(
        error.contains(&format!("`{}` has mode 0700", hidden.display())),
        "{error}"
    );
    assert!(!hidden.join("cache/apt").exists());
}

#[test]
fn the_newer_of_two_installations_of_a_version_is_used() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let one = stored(&cache, "redis")[0].clone();
    for (name, made) in [("0000", 60), ("ffff", 120)] {
        let other = one.with_file_name(format!("{}-{name}", one.file_name().unwrap().to_str().unwrap()));
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .args([&one, &other])
            .status()
            .unwrap();
        assert!(copied.success());
        let manifest = std::fs::File::options()
            .write(true)
            .open(other.join("manifest"))
            .unwrap();
        manifest
            .set_modified(std::time::SystemTime::now() + Duration::from_secs(made))
            .unwrap();
        assert!(Probe::fetching("redis", &cache).ask().path().starts_with(&other));
    }
}

#[test]
fn a_limit_that_is_no_number_is_an_error_before_a_download() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let probe = Probe::fetching("redis", &cache).var("MANAGED_DAEMONS_CACHE_LIMIT_MB", "4GB");
    let error = probe.ask().error();
    assert!(
        error.contains("MANAGED_DAEMONS_CACHE_LIMIT_MB is `4GB`; write a number of megabytes"),
        "{error}"
    );
    assert!(stored(&cache, "redis").is_empty());
}

#[test]
fn an_empty_variable_counts_as_none() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let names = ["TMPDIR", "USER", "CACHE_LIMIT_MB", "REDIS_BIN", "REDIS_SUITE"];
    let probe = names
        .iter()
        .fold(Probe::fetching("redis", &cache).serving(), |probe, name| {
            probe.var(&format!("MANAGED_DAEMONS_{name}"), "")
        });
    assert_eq!(probe.ask().found()["pong"], "PONG");
}

/// The path of the libraries could not be given to the loader.
#[test]
fn a_home_or_directory_for_caches_with_a_colon_is_named() {
    let user = OrdinaryUser::new();
    for (variable, value) in [("XDG_CACHE_HOME", "/tmp/a:b"), ("HOME", "/tmp/c:d")] {
        let probe = Probe::fetching("redis", Path::new(""))
            .var("HOME", "/")
            .var(variable, value);
        let error = probe.run_by(&user).ask().error();
        // `nobody` can make no directory in a home that is not there.
        if variable == "XDG_CACHE_HOME" || error.contains(value) {
            assert!(
                error.contains(variable) && error.contains("must not contain any of `:`"),
                "{error}"
            );
            assert!(
                error.contains("name another directory with `MANAGED_DAEMONS_CACHE`"),
                "{error}"
            );
        }
    }
}

#[test]
fn old_installations_make_room_for_new_ones() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let old = stored(&cache, "redis")[0].clone();
    let fetch = || {
        // Another daemon, and a small one.
        let probe = Probe::fetching("memcached", &cache).var("MANAGED_DAEMONS_CACHE_LIMIT_MB", "8");
        let fetched = probe.ask().path();
        assert!(fetched.is_file());
    };
    fetch();
    assert!(old.exists(), "it was used a moment ago");
    std::fs::remove_dir_all(&stored(&cache, "memcached")[0]).unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3 * 3600);
    std::fs::File::options()
        .write(true)
        .open(old.join("used"))
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    fetch();
    assert!(!old.exists(), "it is still there");
    assert_eq!(stored(&cache, "memcached").len(), 1);
}

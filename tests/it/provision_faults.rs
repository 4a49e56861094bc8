//! What can go wrong while fetching, and that nothing bad comes of it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::provision_proxy::{Fate, Proxy};
use crate::provision_support::{
    answer_of, cache_with_lists, cache_with_redis, is_root, processes_naming, public_directory, stored, unfinished,
    wait_until, OrdinaryUser, Probe,
};

/// Fetches succeed again in this cache.
fn assert_recovers(cache: &Path) {
    let answer = Probe::fetching("redis", cache).tools(&["redis-cli"]).verifying().ask();
    assert_eq!(answer.found()["verified"], "whole");
    assert_eq!(unfinished(cache), [""; 0]);
    assert_eq!(stored(cache, "redis").len(), 1);
}

fn is_redis(url: &str) -> bool {
    url.ends_with(".deb") && url.contains("redis-server_")
}

#[test]
fn four_processes_fetch_once() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let proxy = Proxy::new(|_| Fate::Pass);
    let probe = Probe::fetching("redis", &cache).var("http_proxy", &proxy.url());
    let children: Vec<_> = (0..4).map(|_| probe.start()).collect();
    let answers: Vec<_> = children.into_iter().map(answer_of).collect();
    for answer in &answers {
        assert_eq!(answer.path(), answers[0].path());
    }
    let fetched = answers.iter().filter(|a| a.stderr.contains("fetched redis@"));
    assert_eq!(fetched.count(), 1);
    assert_eq!(proxy.count("redis-server_"), 1);
}

#[test]
fn the_next_fetch_completes_after_one_was_killed_half_way() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let proxy = Proxy::new(|url| if is_redis(url) { Fate::Stall } else { Fate::Pass });
    let mut child = Probe::fetching("redis", &cache).var("http_proxy", &proxy.url()).start();
    proxy.wait_for("redis-server_");
    assert!(!processes_naming(&cache).is_empty(), "nothing is fetching");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it started ends by itself, and soon.
    wait_until("the end of apt", || processes_naming(&cache).is_empty());
    assert!(stored(&cache, "redis").is_empty());
    assert!(!unfinished(&cache).is_empty(), "the test came too late");
    assert_recovers(&cache);
}

#[test]
fn a_package_changed_on_the_way_is_refused() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    for fate in [Fate::Tamper, Fate::CutOff] {
        let proxy = Proxy::new(move |url| if is_redis(url) { fate } else { Fate::Pass });
        let error = Probe::fetching("redis", &cache)
            .var("http_proxy", &proxy.url())
            .ask()
            .error();
        assert!(proxy.count("redis-server_") > 0, "it was not asked for");
        assert!(
            error.contains("could not fetch `redis-server`: apt: apt-get download ended with"),
            "{error}"
        );
        assert!(stored(&cache, "redis").is_empty(), "{fate:?}");
        assert_eq!(unfinished(&cache), [""; 0]);
    }
    assert_recovers(&cache);
}

#[test]
fn a_package_changed_after_apt_looked_at_it_is_refused() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    // An apt-get that does what it is told, and then changes a byte of one package.
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = "#!/bin/sh\n/usr/bin/apt-get \"$@\" || exit\nfor f in ./redis-server_*.deb; do\n[ -f \"$f\" ] && \
                  printf X | /bin/dd of=\"$f\" bs=1 seek=2000 conv=notrunc 2>/dev/null\ndone\nexit 0\n";
    let apt = bin.join("apt-get");
    std::fs::write(&apt, script).unwrap();
    std::fs::set_permissions(&apt, Permissions::from_mode(0o755)).unwrap();
    let error = Probe::fetching("redis", &cache)
        .var("PATH", bin.to_str().unwrap())
        .ask()
        .error();
    assert!(
        error.contains("is not what its signed metadata says: its hash differs"),
        "{error}"
    );
    assert!(stored(&cache, "redis").is_empty());
    assert_recovers(&cache);
}

#[test]
fn metadata_changed_on_the_way_is_refused() {
    for part in ["InRelease", "Packages"] {
        let directory = public_directory();
        let cache = directory.path().join("cache");
        // Lists have their hash in the URL where the mirror offers that.
        let hit = move |url: &str| match part {
            "InRelease" => url.contains("InRelease"),
            _ => url.contains("/main/binary-"),
        };
        let proxy = Proxy::new(move |url| if hit(url) { Fate::Tamper } else { Fate::Pass });
        let error = Probe::fetching("redis", &cache)
            .var("http_proxy", &proxy.url())
            .ask()
            .error();
        assert!(error.contains("apt-get update ended with"), "{part}: {error}");
        assert!(proxy.packages() == 0, "{part}: something was downloaded all the same");
        assert!(stored(&cache, "redis").is_empty());
    }
}

#[test]
fn a_source_without_signature_is_not_used() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let proxy = Proxy::new(|url| {
        if url.contains("InRelease") {
            Fate::CutOff
        } else {
            Fate::Pass
        }
    });
    let error = Probe::fetching("redis", &cache)
        .var("http_proxy", &proxy.url())
        .ask()
        .error();
    assert!(error.contains("apt-get update ended with"), "{error}");
    assert_eq!(proxy.packages(), 0);
}

#[test]
fn a_changed_store_is_set_aside_and_fetched_again() {
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
    // What was set aside is there to be looked at until the next fetch.
    assert!(
        unfinished(cache).iter().any(|n| n.starts_with("redis@damaged-")),
        "{:?}",
        unfinished(cache)
    );
}

#[test]
fn a_change_that_keeps_size_and_time_is_found_by_the_full_check() {
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
fn a_damaged_manifest_is_as_good_as_none() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let manifest = stored(&cache, "redis")[0].join("manifest");
    let whole = std::fs::read_to_string(&manifest).unwrap();
    let half = whole[..whole.len() / 2].to_owned();
    let no_end = whole.trim_end().to_owned();
    let other = whole.replacen("version\t", "version\t1", 1);
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
        // That run has set it aside.
        assert!(stored(&cache, "redis").is_empty());
        std::fs::create_dir_all(cache.join("store")).unwrap();
        restore(&cache);
    }
    std::fs::remove_file(&manifest).unwrap();
    assert_fetched_again(&cache);
}

/// Puts back what was set aside.
fn restore(cache: &Path) {
    let aside = cache.join("tmp").read_dir().unwrap().map(|e| e.unwrap().path());
    let aside = aside.max_by_key(|p| p.metadata().unwrap().modified().unwrap()).unwrap();
    let name = aside.file_name().unwrap().to_str().unwrap().to_owned();
    let (_, name) = name.split_once("damaged-").unwrap().1.split_once('-').unwrap();
    std::fs::rename(&aside, cache.join("store").join(name)).unwrap();
}

#[test]
fn a_cache_that_can_only_be_read_is_used_and_not_written() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let user = OrdinaryUser::new();
    if is_root() {
        // Root's cache, an ordinary user's test.
        let answer = Probe::fetching("redis", &cache)
            .as_user(&user)
            .tools(&["redis-cli"])
            .ask();
        assert!(answer.path().starts_with(&cache));
        std::fs::remove_dir_all(stored(&cache, "redis")[0].as_path()).unwrap();
    } else {
        std::fs::remove_dir_all(cache.join("store")).unwrap();
        std::fs::set_permissions(&cache, Permissions::from_mode(0o555)).unwrap();
    }
    let error = Probe::fetching("redis", &cache).as_user(&user).ask().error();
    assert!(error.contains("Permission denied"), "{error}");
    assert!(error.contains("MANAGED_DAEMONS_REDIS_BIN"), "{error}");
    std::fs::set_permissions(&cache, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_cache_of_another_user_is_not_executed() {
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
fn a_cache_that_everybody_can_write_is_not_executed() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    std::fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
    let error = Probe::fetching("redis", &cache).ask().error();
    assert!(error.contains("can be written by every user (mode 0777)"), "{error}");
}

#[test]
fn a_cache_that_the_daemons_user_can_not_read_is_refused_before_a_download() {
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let hidden = directory.path().join("home");
    std::fs::create_dir(&hidden).unwrap();
    std::fs::set_permissions(&hidden, Permissions::from_mode(0o700)).unwrap();
    let error = Probe::fetching("redis", &hidden.join("cache")).ask().error();
    assert!(
        error.contains("what is fetched could not be run: user `nobody`"),
        "{error}"
    );
    assert!(
        error.contains(&format!("`{}` has mode 0700", hidden.display())),
        "{error}"
    );
    assert!(!hidden.join("cache/apt").exists());
}

#[test]
fn a_full_disk_is_told_and_harms_nothing() {
    if !is_root() {
        // Only root can mount a disk that is small enough.
        return;
    }
    let directory = public_directory();
    let disk = directory.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = Mount::new(&disk, "size=200m,mode=755");
    let cache = cache_with_lists(&disk);
    // Room for the packages, and not for what is in them.
    let free = nix::sys::statvfs::statvfs(&disk).unwrap();
    let free = usize::try_from(free.blocks_available() * free.fragment_size()).unwrap();
    std::fs::write(disk.join("filler"), vec![0; free - 9_000_000]).unwrap();
    let error = Probe::fetching("redis", &cache).ask().error();
    assert!(
        error.contains("o space left on device") || error.contains("free space"),
        "{error}"
    );
    assert!(stored(&cache, "redis").is_empty());
    assert_eq!(unfinished(&cache), [""; 0]);
    std::fs::remove_file(disk.join("filler")).unwrap();
    assert_recovers(&cache);
    drop(mount);
}

#[test]
fn without_a_network_it_fails_within_seconds_and_says_what_to_do() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let proxy_that_is_not_there = "http://127.0.0.1:9";
    let mut probe = Probe::fetching("redis", &cache).var("http_proxy", proxy_that_is_not_there);
    probe = probe.var("https_proxy", proxy_that_is_not_there);
    if is_root() {
        probe = Probe::fetching("redis", &cache).through(&["unshare", "--net"]);
    }
    let started = Instant::now();
    let answer = probe.ask();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let error = answer.error();
    for expected in [
        "could not fetch `redis-server`: apt: apt-get update ended with exit code 100",
        "install it with `sudo apt-get install redis-server`",
        "name a binary with MANAGED_DAEMONS_REDIS_BIN",
        "MANAGED_DAEMONS_PROVISION=never keeps this crate from fetching",
        "PATH and well-known places: not looked at",
    ] {
        assert!(error.contains(expected), "no `{expected}` in:\n{error}");
    }
    assert!(stored(&cache, "redis").is_empty());
}

#[test]
fn processes_that_wait_for_one_that_fails_fail_with_it() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let proxy = Proxy::new(|_| Fate::CutOff);
    let probe = Probe::fetching("redis", &cache).var("http_proxy", &proxy.url());
    let children: Vec<_> = (0..6).map(|_| probe.start()).collect();
    let answers: Vec<_> = children.into_iter().map(answer_of).collect();
    let tried = answers
        .iter()
        .filter(|a| a.stderr.contains("fetching redis into"))
        .count();
    for answer in &answers {
        assert!(
            answer.error().contains("apt-get update ended with"),
            "{}",
            answer.error()
        );
    }
    // The ones that came while the first was at it wait for what it says; a late one tries for itself.
    assert!(tried < answers.len(), "all {tried} tried");
}

#[test]
fn the_warm_cache_needs_no_network() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let mut probe = Probe::fetching("redis", &cache).var("http_proxy", "http://127.0.0.1:9");
    if is_root() {
        probe = probe.through(&["unshare", "--net"]);
    }
    assert!(probe.ask().path().starts_with(&cache));
}

#[test]
fn old_installations_make_room_for_new_ones() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let old = stored(&cache, "redis")[0].clone();
    let fetch = || {
        // Of another daemon, which is small.
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

#[test]
fn lists_that_are_too_old_are_fetched_anew() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    // The mirror no longer has what the lists name.
    let proxy = Proxy::new(|_| Fate::Pass);
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let marker = directory.path().join("updated");
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' update '*) : >{0};; *' download '*) case \" $* \" in *--print-uris*) ;; *) [ -e {0} ] \
         || {{ echo 'E: 404 Not Found' >&2; exit 100; }};; esac;; esac\nexec /usr/bin/apt-get \"$@\"\n",
        marker.display()
    );
    let apt = bin.join("apt-get");
    std::fs::write(&apt, script).unwrap();
    std::fs::set_permissions(&apt, Permissions::from_mode(0o755)).unwrap();
    let probe = Probe::fetching("redis", &cache).var("PATH", bin.to_str().unwrap());
    let answer = probe.var("http_proxy", &proxy.url()).ask();
    assert!(answer.path().starts_with(&cache));
    assert!(marker.exists());
}

/// A mounted file system.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(path: &'a Path, options: &str) -> Self {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .status();
        assert!(mounted.unwrap().success());
        Self(path)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

//! A fetch that fails says why, and leaves a cache that the next fetch can use.

use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};

use super::probe::{
    answer_of, assert_recovers, cache_with_lists, cache_with_redis, processes_naming, public_directory, script, stored,
    unfinished, Probe,
};
use super::proxy::{Fate, Proxy};
use crate::support::{eventually, eventually_empty, is_root, sudo, Mount};

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
fn a_fetch_succeeds_after_one_was_killed_half_way() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let proxy = Proxy::new(|url| if is_redis(url) { Fate::Stall } else { Fate::Pass });
    let mut child = Probe::fetching("redis", &cache).var("http_proxy", &proxy.url()).start();
    proxy.wait_for("redis-server_");
    assert!(!processes_naming(&cache).is_empty(), "nothing is fetching");
    child.kill().unwrap();
    child.wait().unwrap();
    // Its children end by themselves.
    eventually_empty("rid of apt", || processes_naming(&cache));
    assert!(stored(&cache, "redis").is_empty());
    assert!(!unfinished(&cache).is_empty(), "the test came too late");
    assert_recovers(&cache);
}

#[test]
fn a_package_damaged_on_the_way_is_refused() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    for fate in [Fate::Tamper, Fate::CutOff] {
        let proxy = Proxy::new(move |url| if is_redis(url) { fate } else { Fate::Pass });
        let error = Probe::fetching("redis", &cache)
            .var("http_proxy", &proxy.url())
            .ask()
            .error();
        assert!(proxy.count("redis-server_") > 0, "it was not requested");
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
fn a_package_changed_after_apt_checked_it_is_refused() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    // An apt-get that does its work, and then changes a byte of one package.
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let text = "#!/bin/sh\n/usr/bin/apt-get \"$@\" || exit\nfor f in ./redis-server_*.deb; do\n[ -f \"$f\" ] && \
                  printf X | /bin/dd of=\"$f\" bs=1 seek=2000 conv=notrunc 2>/dev/null\ndone\nexit 0\n";
    script(&bin.join("apt-get"), text);
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
fn metadata_damaged_on_the_way_is_refused() {
    for part in ["InRelease", "Packages"] {
        let directory = public_directory();
        let cache = directory.path().join("cache");
        // A mirror may offer its lists under their hashes, so their names are not in the URL.
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
        assert!(proxy.packages() == 0, "{part}: a package was downloaded all the same");
        assert!(stored(&cache, "redis").is_empty());
    }
}

#[test]
fn a_source_without_a_signature_is_not_used() {
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
fn a_full_disk_is_reported_and_harms_nothing() {
    if !is_root() {
        // Mounting takes root.
        return;
    }
    let disk = Mount::new("size=200m,mode=755");
    let cache = cache_with_lists(disk.path());
    // There is room for the packages, but not for their content.
    let free = nix::sys::statvfs::statvfs(disk.path()).unwrap();
    let free = usize::try_from(free.blocks_available() * free.fragment_size()).unwrap();
    std::fs::write(disk.path().join("filler"), vec![0; free - 9_000_000]).unwrap();
    let error = Probe::fetching("redis", &cache).ask().error();
    assert!(
        error.contains("o space left on device") || error.contains("free space"),
        "{error}"
    );
    assert!(stored(&cache, "redis").is_empty());
    assert_eq!(unfinished(&cache), [""; 0]);
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    assert_recovers(&cache);
}

#[test]
fn without_a_network_a_fetch_fails_and_says_what_to_do() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let proxy_that_is_not_there = "http://127.0.0.1:9";
    let mut probe = Probe::fetching("redis", &cache).var("http_proxy", proxy_that_is_not_there);
    probe = probe.var("https_proxy", proxy_that_is_not_there);
    if is_root() {
        probe = Probe::fetching("redis", &cache).through(&["unshare", "--net"]);
    }
    let answer = probe.ask();
    let error = answer.error();
    let install = format!("install it with `{}apt-get install redis-server`", sudo());
    for expected in [
        "could not fetch `redis-server`: apt: apt-get update ended with exit status: 100",
        &install,
        "name a binary with MANAGED_DAEMONS_REDIS_BIN",
        "MANAGED_DAEMONS_PROVISION=never keeps this crate from fetching",
        "PATH and well-known places: not looked at",
    ] {
        assert!(error.contains(expected), "no `{expected}` in:\n{error}");
    }
    assert!(stored(&cache, "redis").is_empty());
}

#[test]
fn processes_that_wait_for_a_fetch_fail_when_it_fails() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    // Nothing is answered before all of them are there.
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let at_gate = Arc::clone(&gate);
    let proxy = Proxy::new(move |_| {
        drop(at_gate.lock());
        Fate::CutOff
    });
    let probe = Probe::fetching("redis", &cache).var("http_proxy", &proxy.url());
    let children: Vec<_> = (0..6).map(|_| probe.start()).collect();
    let locks = cache.join("locks");
    let is_there = |child: &Child| {
        let open = std::fs::read_dir(format!("/proc/{}/fd", child.id()))
            .into_iter()
            .flatten();
        let mut paths = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        paths.any(|path| path.starts_with(&locks))
    };
    eventually("all at the lock", || {
        match children.iter().filter(|child| !is_there(child)).count() {
            0 => Ok(()),
            missing => Err(missing),
        }
    });
    drop(closed);
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
    // A process that comes during a fetch waits for its outcome; one that comes later tries itself.
    assert!(tried < answers.len(), "all {tried} processes tried");
}

#[test]
fn a_cached_daemon_needs_no_network() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let mut probe = Probe::fetching("redis", &cache).var("http_proxy", "http://127.0.0.1:9");
    if is_root() {
        probe = probe.through(&["unshare", "--net"]);
    }
    assert!(probe.ask().path().starts_with(&cache));
}

#[test]
fn outdated_package_lists_are_fetched_again() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    // An apt-get whose downloads fail until the lists are updated: the mirror no longer has what
    // the lists name.
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let marker = directory.path().join("updated");
    let text = format!(
        "#!/bin/sh\ncase \" $* \" in *' update '*) : >{0};; *' download '*) case \" $* \" in *--print-uris*) ;; *) [ -e {0} ] \
         || {{ echo 'E: 404 Not Found' >&2; exit 100; }};; esac;; esac\nexec /usr/bin/apt-get \"$@\"\n",
        marker.display()
    );
    script(&bin.join("apt-get"), &text);
    let answer = Probe::fetching("redis", &cache)
        .var("PATH", bin.to_str().unwrap())
        .ask();
    assert!(answer.path().starts_with(&cache));
    assert!(marker.exists());
}

#[test]
fn a_dead_source_does_not_block_the_others() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    // The system's own sources, and one where no server answers.
    let sources = directory.path().join("sources.list.d");
    std::fs::create_dir(&sources).unwrap();
    for entry in Path::new("/etc/apt/sources.list.d").read_dir().unwrap().flatten() {
        std::fs::copy(entry.path(), sources.join(entry.file_name())).unwrap();
    }
    std::fs::write(
        sources.join("dead.list"),
        "deb http://127.0.0.1:9/nothing stable main\n",
    )
    .unwrap();
    let configuration = directory.path().join("apt.conf");
    let text = format!("Dir::Etc::sourceparts \"{}\";\n", sources.display());
    std::fs::write(&configuration, text).unwrap();
    let probe = || Probe::fetching("redis", &cache).var("APT_CONFIG", configuration.to_str().unwrap());
    assert!(probe().tools(&["redis-cli"]).ask().path().starts_with(&cache));
    // With the dead source alone, the report names it.
    std::fs::remove_dir_all(cache.join("store")).unwrap();
    for entry in sources
        .read_dir()
        .unwrap()
        .flatten()
        .filter(|e| e.file_name() != "dead.list")
    {
        std::fs::remove_file(entry.path()).unwrap();
    }
    std::fs::write(&configuration, only_sources_in(&sources)).unwrap();
    std::fs::remove_dir_all(cache.join("apt")).unwrap();
    let error = probe().ask().error();
    assert!(error.contains("Failed to fetch http://127.0.0.1:9/nothing"), "{error}");
}

fn only_sources_in(sources: &Path) -> String {
    format!(
        "Dir::Etc::sourcelist \"/dev/null\";\nDir::Etc::sourceparts \"{}\";\n",
        sources.display()
    )
}

//! Brokers know nothing of each other, of an epmd or of the system's files; and nothing of them is left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use managed_daemons::RabbitMqDaemon;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::client::is_let_in;
use crate::support::{assert_nothing_left, eventually, private_root};

const EPMD: u16 = 4369;

#[test]
fn brokers_share_neither_name_nor_cookie_nor_cluster() {
    let [one, two] = [RabbitMqDaemon::start().unwrap(), RabbitMqDaemon::start().unwrap()];
    for question in ["node().", "erlang:get_cookie().", "rabbit_nodes:cluster_name()."] {
        assert_ne!(one.eval(question).unwrap(), two.eval(question).unwrap(), "{question}");
    }
    assert_eq!(one.eval("nodes().").unwrap(), "[]");
    // With another cookie a node is not let in, and without an epmd it is not even known.
    let ping = format!("net_adm:ping('{}').", two.node_name());
    assert_eq!(one.eval(&ping).unwrap(), "pang");
}

#[test]
fn no_epmd_is_started_not_even_when_rabbitmq_looks_after_it() {
    let before = epmds();
    let rabbit = RabbitMqDaemon::start().unwrap();
    // What RabbitMQ does once a minute where its monitor runs.
    assert_eq!(rabbit.eval("whereis(rabbit_epmd_monitor).").unwrap(), "undefined");
    rabbit.eval("rabbit_nodes:ensure_epmd().").unwrap();
    assert_eq!(epmds(), before);
    let started = std::net::TcpStream::connect(("127.0.0.1", EPMD)).is_ok();
    assert!(!started || !before.is_empty());
}

/// All processes of that name, whoever's they are.
fn epmds() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let named = processes.filter(|entry| {
        let name = fs::read_to_string(entry.path().join("comm"));
        name.is_ok_and(|name| name.trim() == "epmd")
    });
    named.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn it_listens_on_loopback_alone() {
    let rabbit = RabbitMqDaemon::builder().management().start().unwrap();
    let addresses = "[inet:sockname(P) || P <- erlang:ports(), {name, \"tcp_inet\"} =:= erlang:port_info(P, name),
        {ok, []} =:= inet:peername(P) orelse element(1, inet:peername(P)) =:= error].";
    let listening = rabbit.eval(addresses).unwrap();
    assert_eq!(listening.matches("{ok,{{127,0,0,1},").count(), 3, "{listening}");
    assert_eq!(listening.matches("{ok,{{").count(), 3, "{listening}");
}

#[test]
fn the_installation_stays_as_it_is() {
    let cache = private_root();
    let before = RabbitMqDaemon::start().unwrap();
    let server = before.binary().ancestors().nth(2).unwrap().to_path_buf();
    let files = entries(&server);
    assert!(files.len() > 500, "{}", files.len());
    // In a process of its own, where the cache is empty: everything is prepared anew.
    let status = victim("starts_once", cache.path(), cache.path()).status().unwrap();
    assert!(status.success());
    assert_eq!(entries(&server), files);
}

/// Every file below, with its time and size.
fn entries(dir: &Path) -> BTreeMap<PathBuf, (SystemTime, u64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            found.extend(entries(&entry.path()));
        } else {
            found.insert(entry.path(), (metadata.modified().unwrap(), metadata.size()));
        }
    }
    found
}

#[test]
fn eight_at_once() {
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| RabbitMqDaemon::start().unwrap()))
        .collect();
    let rabbits: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for rabbit in &rabbits {
        assert!(is_let_in(&rabbit.url()));
    }
}

#[test]
fn a_damaged_preparation_is_made_again() {
    let cache = private_root();
    assert!(victim("starts_once", cache.path(), cache.path())
        .status()
        .unwrap()
        .success());
    let prepared = fs::read_dir(cache.path().join("cache/templates")).unwrap().flatten();
    let prepared = prepared.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    fs::remove_file(prepared.join("data/broker.boot")).unwrap();
    assert!(victim("starts_once", cache.path(), cache.path())
        .status()
        .unwrap()
        .success());
    assert!(prepared.join("data/broker.boot").is_file());
}

#[test]
fn nothing_is_left_of_a_test_that_is_killed_at_any_moment() {
    let cache = private_root();
    // The first ones are killed while the preparation is made.
    for number in 0..40_u32 {
        let root = private_root();
        let mut child = victim("churns", root.path(), cache.path()).spawn().unwrap();
        let moment = Duration::from_millis(u64::from(number * 97 % 1500) + 20);
        std::thread::sleep(moment);
        kill(Pid::from_raw(child.id() as i32), Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        assert_nothing_left(root.path());
    }
    eventually("a cache without halves", || {
        let left: Vec<_> = fs::read_dir(cache.path().join("cache/templates"))
            .into_iter()
            .flatten()
            .flatten()
            .collect();
        // One half is what the next maker replaces.
        if left.iter().filter(|entry| entry.path().is_dir()).count() <= 2 {
            Ok(())
        } else {
            Err(left)
        }
    });
}

/// A process that runs one of `victims`, with its temporary files and its cache elsewhere.
fn victim(name: &str, root: &Path, cache: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--ignored", &format!("rabbitmq::victims::{name}")])
        .env("MANAGED_DAEMONS_TMPDIR", root)
        .env("MANAGED_DAEMONS_CACHE", cache.join("cache"))
        .env("MANAGED_DAEMONS_KEEP", "never")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

//! Brokers know nothing of each other, of an epmd or of the system's files; and nothing of them is left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use managed_daemons::RabbitMqDaemon;

use super::client::is_let_in;
use super::victim::{cold_cache_in, victim};
use crate::support::private_root;

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
    let root = private_root();
    let cache = cold_cache_in(root.path());
    let before = RabbitMqDaemon::start().unwrap();
    let server = before.binary().ancestors().nth(2).unwrap().to_path_buf();
    let files = entries(&server);
    assert!(files.len() > 500, "{}", files.len());
    // In a process of its own, where nothing is prepared yet.
    assert!(starts_once(root.path(), &cache));
    assert_eq!(entries(&server), files);
}

/// Whether a broker starts in a process of its own, with this cache.
fn starts_once(root: &Path, cache: &Path) -> bool {
    victim("starts_once", root, Some(cache)).status().unwrap().success()
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
    let root = private_root();
    let cache = cold_cache_in(root.path());
    assert!(starts_once(root.path(), &cache));
    let prepared = fs::read_dir(cache.join("templates")).unwrap().flatten();
    let prepared = prepared.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    fs::remove_file(prepared.join("data/broker.boot")).unwrap();
    assert!(starts_once(root.path(), &cache));
    assert!(prepared.join("data/broker.boot").is_file());
}

#[test]
fn a_port_that_is_lost_while_all_is_prepared_is_replaced() {
    let root = private_root();
    let cache = cold_cache_in(root.path());
    assert!(victim("loses_a_port", root.path(), Some(&cache))
        .status()
        .unwrap()
        .success());
}

#[test]
fn the_path_of_the_cache_may_hold_what_means_something_elsewhere() {
    let root = private_root();
    let odd = root.path().join("it's {a,b} [c]* $HOME & ü");
    fs::create_dir(&odd).unwrap();
    assert!(starts_once(root.path(), &cold_cache_in(&odd)));
}

#[test]
fn what_the_path_of_the_cache_may_not_hold_is_told_at_once() {
    for odd in ["a\"b", "a\\b", "a:b"] {
        let root = private_root();
        let odd = root.path().join(odd);
        fs::create_dir(&odd).unwrap();
        let mut victim = victim("starts_once", root.path(), Some(&cold_cache_in(&odd)));
        let output = victim.arg("--nocapture").stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(said.contains("holds a character that can't be used"), "{said}");
    }
}

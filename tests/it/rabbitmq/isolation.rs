//! Brokers share nothing: neither with each other, nor with an epmd, nor with the system's files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use managed_daemons::RabbitMqDaemon;
use managed_daemons_tests::processes_of;

use super::client::is_let_in;
use super::cold_cache::cold_cache_in;
use crate::support::{is_plain_run, private_root, Victim, FAR};

#[test]
fn brokers_share_neither_name_nor_cookie_nor_cluster() {
    let [one, two] = [RabbitMqDaemon::start().unwrap(), RabbitMqDaemon::start().unwrap()];
    for question in ["node().", "erlang:get_cookie().", "rabbit_nodes:cluster_name()."] {
        assert_ne!(one.eval(question).unwrap(), two.eval(question).unwrap(), "{question}");
    }
    assert_eq!(one.eval("nodes().").unwrap(), "[]");
    // A node with another cookie would be refused, and without an epmd it is not even found.
    let ping = format!("net_adm:ping('{}').", two.node_name());
    assert_eq!(one.eval(&ping).unwrap(), "pang");
}

#[test]
fn no_epmd_is_started_even_when_rabbitmq_asks_for_one() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    assert_eq!(rabbit.eval("whereis(rabbit_epmd_monitor).").unwrap(), "undefined");
    // That monitor would call this once a minute.
    rabbit.eval("rabbit_nodes:ensure_epmd().").unwrap();
    // Others on this machine may have one, or start one just now. Ours would have the broker's
    // environment, also once it has detached itself.
    let ours = processes_of(rabbit.working_dir());
    assert!(
        ours.iter().any(|(pid, _)| Some(*pid as u32) == rabbit.pid()),
        "{ours:?}"
    );
    let epmds: Vec<_> = ours.iter().filter(|(pid, _)| is_epmd(*pid)).collect();
    assert!(epmds.is_empty(), "{epmds:?}");
}

/// Whether a process runs Erlang's port mapper.
fn is_epmd(pid: i32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm"));
    name.is_ok_and(|name| name.trim() == "epmd")
}

#[test]
fn a_broker_listens_on_loopback_only() {
    let rabbit = RabbitMqDaemon::builder()
        .management()
        .start_timeout(FAR)
        .start()
        .unwrap();
    let addresses = "[inet:sockname(P) || P <- erlang:ports(), {name, \"tcp_inet\"} =:= erlang:port_info(P, name),
        {ok, []} =:= inet:peername(P) orelse element(1, inet:peername(P)) =:= error].";
    let listening = rabbit.eval(addresses).unwrap();
    assert_eq!(listening.matches("{ok,{{127,0,0,1},").count(), 3, "{listening}");
    assert_eq!(listening.matches("{ok,{{").count(), 3, "{listening}");
}

#[test]
fn the_installation_is_not_changed() {
    let root = private_root();
    let cache = cold_cache_in(root.path());
    let before = RabbitMqDaemon::start().unwrap();
    let server = before.binary().ancestors().nth(2).unwrap().to_path_buf();
    let files = entries(&server);
    assert!(files.len() > 500, "{}", files.len());
    // This runs in another process, because in this one RabbitMQ is prepared already.
    Victim::start_with_cache("rabbitmq once", &cache).assert_succeeds();
    assert_eq!(entries(&server), files);
}

/// Every file below `dir`, with its modification time and size.
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
fn eight_brokers_start_at_once() {
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| RabbitMqDaemon::builder().start_timeout(FAR).start().unwrap()))
        .collect();
    let rabbits: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for rabbit in &rabbits {
        assert!(is_let_in(&rabbit.url()));
    }
}

#[test]
fn a_damaged_preparation_is_made_again() {
    if is_plain_run() {
        return; // a plain start prepares nothing
    }
    let root = private_root();
    let cache = cold_cache_in(root.path());
    Victim::start_with_cache("rabbitmq once", &cache).assert_succeeds();
    let prepared = fs::read_dir(cache.join("templates")).unwrap().flatten();
    let prepared = prepared.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    fs::remove_file(prepared.join("data/broker.boot")).unwrap();
    Victim::start_with_cache("rabbitmq once", &cache).assert_succeeds();
    assert!(prepared.join("data/broker.boot").is_file());
}

#[test]
fn a_port_that_is_lost_during_preparation_is_replaced() {
    let root = private_root();
    let cache = cold_cache_in(root.path());
    Victim::start_with_cache("rabbitmq lose-port", &cache).assert_succeeds();
}

#[test]
fn the_path_of_the_cache_may_hold_special_characters() {
    let root = private_root();
    let odd = root.path().join("it's {a,b} [c]* $HOME & ü");
    fs::create_dir(&odd).unwrap();
    Victim::start_with_cache("rabbitmq once", &cold_cache_in(&odd)).assert_succeeds();
}

#[test]
fn a_path_of_the_cache_that_rabbitmq_would_misread_is_refused() {
    for odd in ["a\"b", "a\\b", "a:b"] {
        let root = private_root();
        let odd = root.path().join(odd);
        fs::create_dir(&odd).unwrap();
        let mut victim = Victim::start_with_cache("rabbitmq once", &cold_cache_in(&odd));
        assert!(!victim.wait().success());
        let said = victim.rest_of_output();
        assert!(said.contains("must not contain any of"), "{said}");
    }
}

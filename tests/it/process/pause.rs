//! When `pause` returns, every thread of the daemon has halted. Sending the signal is not enough
//! for that: it may still be on its way.

use std::fs;

use managed_daemons::{ApacheDaemon, Daemon, ManagedDaemon, MemcachedDaemon, MySqlDaemon};
use managed_daemons::{NginxDaemon, PostgresDaemon, RabbitMqDaemon, RedisDaemon};
use managed_daemons_tests::processes_of;

/// The threads of these processes that are neither stopped nor dead.
fn running_threads(processes: &[(i32, String)]) -> Vec<String> {
    let threads = processes.iter().flat_map(|(pid, _)| {
        fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten()
    });
    let lines = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    let state = |line: &String| line.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    lines
        .filter(|line| !matches!(state(line), None | Some('T' | 'Z' | 'X')))
        .collect()
}

#[track_caller]
fn assert_halts<D: Daemon>(daemon: &ManagedDaemon<D>) {
    for _ in 0..20 {
        let processes = processes_of(daemon.working_dir());
        assert!(!processes.is_empty());
        daemon.pause().unwrap();
        assert_eq!(running_threads(&processes), [""; 0]);
        daemon.resume().unwrap();
    }
}

#[test]
fn redis_halts() {
    assert_halts(&RedisDaemon::start().unwrap());
}

#[test]
fn memcached_halts_with_its_threads() {
    assert_halts(&MemcachedDaemon::start().unwrap());
}

#[test]
fn apache_halts_with_its_children_and_their_threads() {
    assert_halts(&ApacheDaemon::start().unwrap());
}

#[test]
fn nginx_halts_with_its_worker() {
    assert_halts(&NginxDaemon::start().unwrap());
}

#[test]
fn mysql_halts_with_its_threads() {
    assert_halts(&MySqlDaemon::start().unwrap());
}

#[test]
fn postgres_halts_with_processes_in_other_sessions() {
    assert_halts(&PostgresDaemon::start().unwrap());
}

#[test]
fn rabbitmq_halts_with_its_threads() {
    assert_halts(&RabbitMqDaemon::start().unwrap());
}

//! Guards: every daemon is halted or down as long as one lives.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use managed_daemons::{
    ApacheDaemon, Daemon, ManagedDaemon, MemcachedDaemon, NginxDaemon, RabbitMqDaemon, RedisDaemon, ValkeyDaemon,
};
use managed_daemons_tests::{mariadb, postgres};

use crate::support::{connect, get, set};

/// How long a client waits for a daemon that halts.
const BRIEFLY: Duration = Duration::from_millis(100);

/// Sends a greeting, and waits for the first byte of an answer.
fn greet(port: u16, greeting: &[u8], patience: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(greeting)?;
    stream.read_exact(&mut [0])
}

/// Halts and stops a daemon that answers this greeting, and lets it come back.
#[track_caller]
fn come_back<D: Daemon>(daemon: &ManagedDaemon<D>, greeting: &[u8]) {
    let (pid, port) = (daemon.pid(), daemon.port());
    let patient = || greet(port, greeting, crate::support::PATIENCE);
    patient().unwrap();
    {
        let _down = daemon.paused().unwrap();
        let error = greet(port, greeting, BRIEFLY).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
        assert_eq!(daemon.pid(), pid);
    }
    patient().unwrap();
    assert_eq!(daemon.pid(), pid);
    for down in [ManagedDaemon::stopped, ManagedDaemon::killed] {
        let down = down(daemon).unwrap();
        assert_eq!(patient().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(daemon.pid(), None);
        drop(down);
        patient().unwrap();
        assert_eq!(daemon.port(), port);
    }
}

#[test]
fn redis_comes_back() {
    come_back(&RedisDaemon::start().unwrap(), b"PING\r\n");
}

#[test]
fn valkey_comes_back() {
    let builder = ValkeyDaemon::builder();
    // Debian 12 has none.
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let builder = match release.contains("bookworm") {
        true => builder.suite("trixie"),
        false => builder,
    };
    come_back(&builder.start().unwrap(), b"PING\r\n");
}

#[test]
fn memcached_comes_back() {
    come_back(&MemcachedDaemon::start().unwrap(), b"version\r\n");
}

#[test]
fn nginx_comes_back() {
    come_back(&NginxDaemon::start().unwrap(), b"GET / HTTP/1.0\r\n\r\n");
}

#[test]
fn apache_comes_back() {
    come_back(&ApacheDaemon::start().unwrap(), b"GET / HTTP/1.0\r\n\r\n");
}

#[test]
fn postgres_comes_back() {
    // A request for TLS, which gets one byte.
    come_back(&postgres().start().unwrap(), &[0, 0, 0, 8, 4, 210, 22, 47]);
}

#[test]
fn mariadb_comes_back() {
    // It speaks first.
    come_back(&mariadb().start().unwrap(), b"");
}

#[test]
fn rabbitmq_comes_back() {
    come_back(&RabbitMqDaemon::start().unwrap(), b"AMQP\0\0\x09\x01");
}

#[test]
fn data_are_there_after_a_guard_has_gone() {
    let redis = RedisDaemon::start().unwrap();
    set(&redis, "answer", "42").unwrap();
    redis.stopped().unwrap().start().unwrap();
    assert_eq!(get(&redis, "answer").unwrap().as_deref(), Some("42"));
}

/// The line of the documentation.
#[test]
fn a_guard_in_a_result_holds_too() {
    let redis = RedisDaemon::start().unwrap();
    let mut connection = connect(&redis).unwrap();
    connection.set_read_timeout(Some(BRIEFLY)).unwrap();
    {
        let _down = redis.paused();
        let error = ::redis::cmd("PING").exec(&mut connection).unwrap_err();
        assert!(error.is_timeout(), "{error}");
    }
    connect(&redis).unwrap();
}

#[test]
fn what_can_not_be_halted_is_an_error() {
    let redis = RedisDaemon::start().unwrap();
    redis.kill().unwrap();
    let error = redis.paused().unwrap_err();
    assert!(error.to_string().contains("nothing to pause"), "{error}");
    // It is down already, and up afterwards.
    redis.stopped().unwrap().start().unwrap();
    assert!(redis.is_running());
}

#[test]
fn a_guard_has_nothing_to_do_for_a_daemon_that_was_killed_or_started_meanwhile() {
    let redis = RedisDaemon::start().unwrap();
    let down = redis.paused().unwrap();
    redis.kill().unwrap();
    down.resume().unwrap();
    assert!(!redis.is_running());

    let down = redis.stopped().unwrap();
    redis.start_if_not_running().unwrap();
    let pid = redis.pid();
    drop(down);
    assert_eq!(redis.pid(), pid);
}

#[test]
fn a_daemon_that_does_not_come_back_fails_the_test_and_never_aborts_it() {
    let redis = RedisDaemon::start().unwrap();
    let refuse_to_start = || std::fs::remove_file(redis.working_dir().join("service.conf")).unwrap();
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        let _down = redis.stopped().unwrap();
        refuse_to_start();
    }));
    let message = *dropped.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("redis"), "{message}");
    // During a panic, a second one would end the process.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _down = redis.stopped().unwrap();
        panic!("on purpose");
    }));
    assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
    assert!(redis.stopped().unwrap().start().is_err());
}

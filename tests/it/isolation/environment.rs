//! Each daemon is alone: its own directory, port, password and environment.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Stdio};

use managed_daemons::{with_redis, RedisDaemon};
use serde_json::Value;

use crate::support::{connect, get, is_root, set, unruly};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

#[with_redis]
#[test]
fn the_working_directory_is_private_and_says_everything(daemon: RedisDaemon) {
    let dir = daemon.working_dir();
    assert_eq!(mode(dir), 0o700);
    for name in ["service.conf", "service.json", "service.log", "service.pid"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
    let pid = std::fs::read_to_string(dir.join("service.pid")).unwrap();
    assert_eq!(pid.trim(), daemon.pid().unwrap().to_string());
    let file: Value = serde_json::from_slice(&std::fs::read(dir.join("service.json")).unwrap()).unwrap();
    assert_eq!(file["kind"], "redis");
    assert_eq!(file["format"], 1);
    assert_eq!(file["host"], "127.0.0.1");
    assert_eq!(file["ports"]["main"], daemon.port());
    assert_eq!(file["process"]["pid"], daemon.pid().unwrap());
    assert_eq!(file["settings"]["password"], daemon.password().unwrap());
    assert!(file["binary"]["path"].as_str().unwrap().ends_with("redis-server"));
    redis::cmd("SAVE").query::<()>(&mut connect(&daemon).unwrap()).unwrap();
    assert!(dir.join("dump.rdb").is_file());
    daemon.stop().unwrap();
    assert!(!dir.join("service.pid").exists());
    let file: Value = serde_json::from_slice(&std::fs::read(dir.join("service.json")).unwrap()).unwrap();
    assert_eq!(file["process"], Value::Null);
}

#[with_redis]
#[test]
fn it_runs_as_an_unprivileged_user(daemon: RedisDaemon) {
    let owner = std::fs::metadata(format!("/proc/{}", daemon.pid().unwrap()))
        .unwrap()
        .uid();
    let me = nix::unistd::geteuid().as_raw();
    assert_ne!(owner, 0);
    assert_eq!(owner == me, !is_root());
    assert_eq!(std::fs::metadata(daemon.working_dir()).unwrap().uid(), owner);
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid().unwrap())).unwrap();
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
    assert!(!is_root() || groups.trim().is_empty(), "supplementary groups: {groups}");
}

#[with_redis]
#[test]
fn the_password_is_needed_and_random(one: RedisDaemon) {
    let other = RedisDaemon::start().unwrap();
    assert_ne!(one.password(), other.password());
    assert_eq!(one.password().unwrap().len(), 32);
    for url in [
        format!("redis://127.0.0.1:{}/", one.port()),
        format!("redis://:wrong@127.0.0.1:{}/", one.port()),
    ] {
        let answer = redis::Client::open(url)
            .and_then(|client| client.get_connection())
            .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
        assert!(answer.is_err(), "{answer:?}");
    }
    let shown = format!("{one:?} {:?}", *one);
    assert!(!shown.contains(one.password().unwrap()), "{shown}");
    let line = std::fs::read(format!("/proc/{}/cmdline", one.pid().unwrap())).unwrap();
    assert!(!String::from_utf8_lossy(&line).contains(one.password().unwrap()));
}

#[with_redis]
#[test]
fn it_listens_on_loopback_and_a_socket_only(daemon: RedisDaemon) {
    set(&daemon, "foo", "bar").unwrap();
    assert!(std::fs::metadata(daemon.unix_socket()).unwrap().file_type().is_socket());
    let port = format!(":{:04X}", daemon.port());
    let listening: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| {
            std::fs::read_to_string(table)
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // proc(5): the local address, and 0A for "listens".
            (fields[1].ends_with(&port) && fields[3] == "0A").then(|| fields[1].to_owned())
        })
        .collect();
    assert_eq!(listening, [format!("0100007F{port}")]);
}

#[test]
fn the_environment_holds_what_is_needed_and_nothing_of_the_tests() {
    let daemon = unruly("tame").env("ASKED_FOR", "this one").start().unwrap();
    let environment = std::fs::read(format!("/proc/{}/environ", daemon.pid().unwrap())).unwrap();
    let names: HashSet<&str> = environment
        .split(|byte| *byte == 0)
        .filter_map(|item| std::str::from_utf8(item).ok()?.split('=').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(
        names,
        HashSet::from(["PATH", "HOME", "MANAGED_DAEMONS_DIR", "ASKED_FOR"])
    );
}

#[cfg(target_os = "linux")]
#[with_redis]
#[test]
fn the_port_is_held_while_the_daemon_is_stopped(daemon: RedisDaemon) {
    daemon.stop().unwrap();
    let address = ("127.0.0.1", daemon.port());
    for _ in 0..2000 {
        let other = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        drop(other);
        let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        assert_ne!(other.local_addr().unwrap().port(), daemon.port());
    }
    assert!(std::net::TcpStream::connect(address).is_err());
    daemon.start_if_not_running().unwrap();
}

#[test]
fn sixty_four_at_once_in_one_process() {
    let threads: Vec<_> = (0..64)
        .map(|number: i32| {
            std::thread::spawn(move || {
                let daemon = RedisDaemon::start().unwrap();
                set(&daemon, "who", &number.to_string()).unwrap();
                daemon
            })
        })
        .collect();
    let daemons: Vec<RedisDaemon> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let ports: HashSet<u16> = daemons.iter().map(|daemon| daemon.port()).collect();
    assert_eq!(ports.len(), 64);
    for (number, daemon) in daemons.iter().enumerate() {
        assert_eq!(get(daemon, "who").unwrap(), Some(number.to_string()));
        // A second try for a port would be a second start in the log.
        assert_eq!(daemon.log().unwrap().matches("Redis is starting").count(), 1);
    }
}

#[test]
fn sixteen_processes_with_eight_each_at_once() {
    let mut children: Vec<_> = (0..16)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--ignored", "--nocapture", "victims::starts_eight"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut ports = HashSet::new();
    for child in &mut children {
        let output = BufReader::new(child.stdout.as_mut().unwrap());
        let lines: Vec<String> = output
            .lines()
            .map(Result::unwrap)
            .take_while(|line| line != "all")
            .collect();
        for line in lines.iter().filter(|line| line.starts_with("port ")) {
            assert!(line.ends_with(" starts 1"), "{line}");
            assert!(ports.insert(line.clone()), "{line} twice");
        }
    }
    assert_eq!(ports.len(), 16 * 8);
    for mut child in children {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

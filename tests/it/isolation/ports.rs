//! Each daemon has a port of its own, on loopback alone.

use std::collections::HashSet;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;

use managed_daemons::{with_redis, RedisDaemon};
use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn};

use crate::support::{get, set, start_failure, Victim};

#[with_redis]
#[test]
fn a_daemon_listens_on_loopback_and_a_socket_only(daemon: RedisDaemon) {
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
            // See proc(5): the local address, and the state, which is 0A for LISTEN.
            (fields[1].ends_with(&port) && fields[3] == "0A").then(|| fields[1].to_owned())
        })
        .collect();
    assert_eq!(listening, [format!("0100007F{port}")]);
}

#[cfg(target_os = "linux")]
#[with_redis]
#[test]
fn the_port_is_held_while_the_daemon_is_stopped(daemon: RedisDaemon) {
    daemon.stop().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", daemon.port())).is_err());
    let stranger = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None);
    let stranger = stranger.unwrap();
    let address = SockaddrIn::new(127, 0, 0, 1, daemon.port());
    assert_eq!(socket::bind(stranger.as_raw_fd(), &address), Err(Errno::EADDRINUSE));
    assert!(daemon.start_if_not_running().unwrap());
}

#[test]
fn the_error_names_a_chosen_port_that_is_taken() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let report = start_failure(RedisDaemon::builder().port(port).start());
    assert!(
        report.contains(&format!("port {port}: another program listens on it")),
        "{report}"
    );
    // Closing it is not enough: a process that another test is just spawning has a copy.
    socket::shutdown(taken.as_raw_fd(), socket::Shutdown::Both).unwrap();
    drop(taken);
    let daemon = RedisDaemon::builder().port(port).start().unwrap();
    assert_eq!(daemon.port(), port);
    let report = start_failure(RedisDaemon::builder().port(port).start());
    assert!(report.contains(&format!("port {port}")), "{report}");
}

#[test]
fn sixty_four_daemons_start_at_once_in_one_process() {
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
fn a_hundred_and_twenty_eight_daemons_start_at_once_in_sixteen_processes() {
    let mut victims: Vec<_> = (0..16).map(|_| Victim::start("redis hold-eight")).collect();
    let lines: Vec<String> = victims
        .iter_mut()
        .flat_map(|victim| victim.wait_for("holding"))
        .collect();
    let mut ports = HashSet::new();
    for line in &lines {
        let port = line.strip_prefix("port ").unwrap().strip_suffix(" after 1 start(s)");
        let port: u16 = port.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        assert!(ports.insert(port), "{port} twice");
    }
    assert_eq!(ports.len(), 16 * 8);
    for victim in victims {
        victim.assert_succeeds();
    }
}

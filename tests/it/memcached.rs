//! memcached, over its text protocol and over a Unix socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use managed_daemons::{with_memcached, MemcachedDaemon};

use crate::support::{assert_nothing_left, private_root, start_failure};

/// A client of the [text protocol](https://docs.memcached.org/protocols/basic/).
struct Client<S: Read>(BufReader<S>);

impl Client<TcpStream> {
    fn of(daemon: &MemcachedDaemon) -> Self {
        let address = daemon.url();
        let address = address.strip_prefix("memcache://").unwrap();
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }
}

impl<S: Read + Write> Client<S> {
    /// Sends a command, and returns the first line of the answer.
    fn ask(&mut self, command: &str) -> String {
        write!(self.0.get_mut(), "{command}\r\n").unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn set(&mut self, key: &str, value: &str) {
        assert_eq!(self.ask(&format!("set {key} 0 0 {}\r\n{value}", value.len())), "STORED");
    }

    fn get(&mut self, key: &str) -> Option<String> {
        if self.ask(&format!("get {key}")) == "END" {
            return None;
        }
        let value = self.line();
        assert_eq!(self.line(), "END");
        Some(value)
    }
}

#[with_memcached(memory(8))]
#[test]
fn counters_compare_and_swap_and_eviction_work(memcached: MemcachedDaemon) {
    let mut client = Client::of(&memcached);
    client.set("n", "41");
    assert_eq!(client.ask("incr n 1"), "42");
    let unique = client.ask("gets n").rsplit(' ').next().unwrap().to_owned();
    assert_eq!((client.line().as_str(), client.line().as_str()), ("42", "END"));
    assert_eq!(client.ask(&format!("cas n 0 0 1 {unique}\r\n1")), "STORED");
    assert_eq!(client.ask(&format!("cas n 0 0 1 {unique}\r\n2")), "EXISTS");
    let large = "x".repeat(500_000);
    for at in 0..40 {
        client.set(&format!("large{at}"), &large);
    }
    assert_eq!(client.get("large0"), None, "8 MB can't hold 20 MB");
    assert_eq!(client.get("large39"), Some(large));
}

#[test]
fn a_restart_keeps_the_port_but_no_data() {
    let daemon = MemcachedDaemon::start().unwrap();
    let url = daemon.url();
    Client::of(&daemon).set("a", "b");
    assert_eq!(Client::of(&daemon).get("a").as_deref(), Some("b"));
    daemon.restart().unwrap();
    assert_eq!(daemon.url(), url);
    assert_eq!(Client::of(&daemon).get("a"), None);
    daemon.pause().unwrap();
    assert!(daemon.is_running());
    daemon.kill().unwrap();
    assert!(!daemon.is_running());
    assert!(TcpStream::connect(("127.0.0.1", daemon.port())).is_err());
}

#[test]
fn a_unix_socket_replaces_the_port_and_survives_a_load() {
    let root = private_root();
    let dir = root.path().join("mine");
    let first = MemcachedDaemon::builder()
        .unix_socket()
        .working_dir(&dir)
        .start()
        .unwrap();
    let path = first.url().strip_prefix("memcache://").unwrap().to_owned();
    let mut client = Client(BufReader::new(UnixStream::connect(&path).unwrap()));
    client.set("a", "b");
    assert!(TcpStream::connect(("127.0.0.1", first.port())).is_err());
    let dir = first.detach().unwrap();
    let second = MemcachedDaemon::load(&dir).unwrap();
    assert_eq!(client.get("a").as_deref(), Some("b"));
    second.destroy().unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn larger_items_fit_with_a_setting_that_a_load_keeps() {
    let item = "x".repeat(5 * 1024 * 1024);
    let request = format!("set large 0 0 {}\r\n{item}", item.len());
    let small = MemcachedDaemon::start().unwrap();
    assert_eq!(
        Client::of(&small).ask(&request),
        "SERVER_ERROR object too large for cache"
    );
    for name in ["max-item-size", "I"] {
        let daemon = MemcachedDaemon::builder().setting(name, "8m").start().unwrap();
        Client::of(&daemon).set("large", &item);
        assert!(Client::of(&daemon).get("large") == Some(item.clone()), "{name}");
        let daemon = MemcachedDaemon::load(daemon.detach().unwrap()).unwrap();
        daemon.restart().unwrap();
        Client::of(&daemon).set("large", &item);
    }
}

#[test]
fn switches_and_extended_options_take_effect() {
    let daemon = MemcachedDaemon::builder()
        .setting("F", "")
        .setting("disable-evictions", "")
        .setting("threads", "8")
        .setting("o", "temporary_ttl=10")
        .setting("D", "-")
        .start()
        .unwrap();
    let mut client = Client::of(&daemon);
    let mut line = client.ask("stats settings");
    let mut settings = Vec::new();
    while line != "END" {
        settings.push(line);
        line = client.line();
    }
    for expected in [
        "flush_enabled no",
        "evictions off",
        "num_threads 8",
        "lru_maintainer_thread yes",
        "lru_crawler yes",
        "temporary_ttl 10",
        "stat_key_prefix -",
    ] {
        assert!(settings.contains(&format!("STAT {expected}")), "{settings:?}");
    }
}

#[test]
fn settings_of_the_framework_and_wrong_ones_are_refused_with_a_reason() {
    for (name, value, said) in [
        (
            "port",
            "11211",
            "`port` (`-p`, `--port`) is set by the framework: use `port`",
        ),
        ("p", "11211", "use `port`"),
        ("por", "11211", "use `port`"),
        ("unix-socket", "/tmp/x", "use `unix_socket`"),
        ("l", "0.0.0.0", "loopback only"),
        ("u", "root", "unprivileged user"),
        ("daemon", "", "in the foreground"),
        ("pidfile", "/tmp/x", "use `pid`"),
        ("m", "8", "use `memory`"),
        ("auth-file", "/tmp/x", "without a password"),
        ("V", "", "it would end at once"),
        ("-I", "8m", "without dashes, as in `max-item-size` or `I`"),
        ("", "", "not the name of an option"),
        ("D", "\0", "contains NUL"),
        ("no-such-option", "1", "unrecognized option '--no-such-option=1'"),
        ("disable-evictions", "1", "doesn't allow an argument"),
        ("M", "-d", "invalid option"),
        ("extended", "nonsense", "Illegal suboption \"nonsense\""),
        ("I", "40m", "Cannot set item size limit higher than 1/2 of memory max"),
    ] {
        let report = start_failure(MemcachedDaemon::builder().setting(name, value).start());
        assert!(report.contains(said), "{name}: {report}");
    }
}

#[test]
fn a_deployed_file_is_used_but_for_what_is_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memcached.conf");
    let text =
        "# as Debian has it\n-d\nlogfile /var/log/memcached.log\n# -v\n-m 16\n-p 11211\n-u memcache -l 0.0.0.0\n\
                --udp-port 11211\n-c 77 # enough\n--max-item-size=2m\n-P /var/run/memcached/memcached.pid\n\
                -vl 0.0.0.0\n-vl0.0.0.0\n-Fd -vdu memcache\n--udp=11212\n--daem\n--pidf /var/run/memcached/x.pid\n-Ft2\n";
    std::fs::write(&path, text).unwrap();
    let setting = |daemon: &MemcachedDaemon, name: &str| {
        let mut client = Client::of(daemon);
        let mut line = client.ask("stats settings");
        loop {
            match line.strip_prefix(&format!("STAT {name} ")) {
                Some(value) => return value.to_owned(),
                None => assert_ne!(line, "END", "{name}"),
            }
            line = client.line();
        }
    };
    let root = private_root();
    let at = root.path().join("mine");
    let builder = || MemcachedDaemon::builder().config_file(&path);
    let daemon = builder().working_dir(&at).start().unwrap();
    for (name, value) in [
        ("maxbytes", "16777216"),
        ("maxconns", "77"),
        ("item_size_max", "2097152"),
        ("inter", "127.0.0.1"),
        ("udpport", "0"),
        ("flush_enabled", "no"),
        ("num_threads", "2"),
        ("verbosity", "3"),
    ] {
        assert_eq!(setting(&daemon, name), value, "{name}");
    }
    daemon.stop().unwrap();
    std::fs::write(&path, "-c 78\n-m 16").unwrap();
    drop(daemon);
    let daemon = MemcachedDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(setting(&daemon, "maxconns"), "78");
    let daemon = builder().setting("c", "79").memory(17).start().unwrap();
    assert_eq!(
        (
            setting(&daemon, "maxconns").as_str(),
            setting(&daemon, "maxbytes").as_str()
        ),
        ("79", "17825792")
    );
}

#[test]
fn lines_of_a_deployed_file_that_can_not_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memcached.conf");
    let place = |line: usize| format!("`{}`, line {line}: ", path.display());
    let start = || MemcachedDaemon::builder().config_file(&path).start();
    assert!(start_failure(start()).contains("could not read the configuration"));
    for (text, line, words) in [
        ("-m 64\n\nmemory 64", 3, "`memory` is not an option"),
        ("-m 64\n--no-such-option", 2, "no-such-option"),
        ("# x\n-q", 2, "invalid option -- 'q'"),
    ] {
        std::fs::write(&path, text).unwrap();
        let report = start_failure(start());
        let named = report.lines().find(|found| found.contains(&place(line)));
        assert!(named.is_some_and(|found| found.contains(words)), "{report}");
    }
}

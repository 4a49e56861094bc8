//! What a proxy does to connections, as both peers see it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use managed_daemons::{
    once_per_run, MySqlDatabase, PostgresDaemon, PostgresDatabase, Proxy, RabbitMqVirtualHost, RedisDaemon,
};

use crate::support::{eventually, PATIENCE};

/// How long a test waits for what must not come.
const BRIEFLY: Duration = Duration::from_millis(50);

/// A server that says nothing by itself, and a proxy in front of it.
pub(super) struct Line {
    pub(super) server: TcpListener,
    pub(super) proxy: Proxy,
}

impl Line {
    pub(super) fn new() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy::to("127.0.0.1", server.local_addr().unwrap().port()).unwrap();
        Self { server, proxy }
    }

    /// The client's end of a new connection, and the server's.
    pub(super) fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.proxy.addr()).unwrap();
        let (server, _) = self.server.accept().unwrap();
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        (client, server)
    }
}

/// Sends these bytes, and fails unless they arrive.
#[track_caller]
pub(super) fn pass(mut from: &TcpStream, to: &TcpStream, bytes: &[u8]) {
    from.write_all(bytes).unwrap();
    arrive(to, bytes);
}

#[track_caller]
pub(super) fn arrive(mut to: &TcpStream, bytes: &[u8]) {
    let mut arrived = vec![0; bytes.len()];
    to.read_exact(&mut arrived).unwrap();
    assert!(arrived == bytes, "{} bytes differ", bytes.len());
}

/// Fails if anything comes, even an end.
#[track_caller]
pub(super) fn nothing_comes(mut to: &TcpStream) {
    to.set_read_timeout(Some(BRIEFLY)).unwrap();
    let error = to.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    to.set_read_timeout(Some(PATIENCE)).unwrap();
}

/// What comes up to the end.
pub(super) fn rest(mut to: &TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    to.read_to_end(&mut bytes).map(|_| bytes)
}

#[track_caller]
pub(super) fn is_reset(to: &TcpStream) {
    assert_eq!(rest(to).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[track_caller]
pub(super) fn has_ended(to: &TcpStream) {
    assert_eq!(rest(to).unwrap(), b"");
}

#[test]
fn bytes_pass_in_both_directions_at_once_whatever_their_number() {
    let line = Line::new();
    // More than waits in the proxy.
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|number| (number % 251) as u8).collect();
    line.proxy
        .latency(Duration::from_millis(2))
        .jitter(Duration::from_millis(2));
    let (client, server) = line.connect();
    std::thread::scope(|scope| {
        for (from, to) in [(&client, &server), (&server, &client)] {
            scope.spawn(|| (&mut &*from).write_all(&bytes).unwrap());
            scope.spawn(|| arrive(to, &bytes));
        }
    });
}

#[test]
fn one_side_can_end_while_the_other_goes_on() {
    let line = Line::new();
    let (client, server) = line.connect();
    pass(&client, &server, b"last words");
    client.shutdown(Shutdown::Write).unwrap();
    has_ended(&server);
    pass(&server, &client, b"an answer");
    drop(server);
    has_ended(&client);
    eventually("without connections", || match line.proxy.connections() {
        0 => Ok(()),
        open => Err(open),
    });
}

#[test]
fn a_cut_ends_what_is_open_and_nothing_else() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.cut();
    has_ended(&client);
    has_ended(&server);
    assert_eq!(line.proxy.connections(), 0);
    let (client, server) = line.connect();
    pass(&client, &server, b"hello");
}

#[test]
fn a_cut_in_one_direction_leaves_the_other() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.downstream().cut();
    has_ended(&client);
    pass(&client, &server, b"still heard");
    // And nobody is held up by what is lost.
    (&server).write_all(&vec![0; 3_000_000]).unwrap();
    let (client, server) = line.connect();
    line.proxy.upstream().cut();
    has_ended(&server);
    pass(&server, &client, b"still heard");
}

#[test]
fn connections_are_refused_until_all_is_clear() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.refuse();
    for _ in 0..3 {
        let error = TcpStream::connect(line.proxy.addr()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    pass(&client, &server, b"goes on");
    line.proxy.clear();
    let (client, server) = line.connect();
    pass(&client, &server, b"hello");
}

/// A process that is being spawned has a copy of every socket until it executes its program.
#[test]
fn connections_are_refused_though_processes_are_being_spawned() {
    let line = Line::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                Command::new("true").status().unwrap();
            }
        });
        let outcomes: Vec<_> = (0..300)
            .map(|_| {
                line.proxy.refuse();
                let refused = TcpStream::connect(line.proxy.addr()).map_err(|error| error.kind());
                line.proxy.clear();
                refused.err()
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        assert_eq!(outcomes, [Some(ErrorKind::ConnectionRefused); 300]);
    });
}

#[test]
fn a_black_hole_holds_back_what_is_sent() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.black_hole();
    (&client).write_all(b"lost?").unwrap();
    (&server).write_all(b"held").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    nothing_comes(&server);
    nothing_comes(&client);
    // New ones are accepted.
    let (new, served) = line.connect();
    (&new).write_all(b"new").unwrap();
    nothing_comes(&served);
    line.proxy.clear();
    arrive(&server, b"lost?");
    assert_eq!(rest(&client).unwrap(), b"held");
    arrive(&served, b"new");
}

#[test]
fn a_black_hole_in_one_direction_leaves_the_other() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.downstream().black_hole();
    pass(&client, &server, b"heard");
    (&server).write_all(b"held").unwrap();
    nothing_comes(&client);
    line.proxy.downstream().clear();
    arrive(&client, b"held");
}

#[test]
fn so_many_bytes_pass_and_no_more() {
    let line = Line::new();
    let (old, served) = line.connect();
    pass(&served, &old, b"not counted");
    line.proxy.downstream().after(5).cut();
    let (new, newly_served) = line.connect();
    for (client, server) in [(&old, &served), (&new, &newly_served)] {
        (&mut &*server).write_all(b"1234567890").unwrap();
        assert_eq!(rest(client).unwrap(), b"12345");
    }
    line.proxy.after(5).reset();
    let (client, server) = line.connect();
    pass(&client, &server, b"1234");
    (&client).write_all(b"5678").unwrap();
    is_reset(&client);
    line.proxy.after(3).black_hole();
    let (client, server) = line.connect();
    (&client).write_all(b"12345").unwrap();
    arrive(&server, b"123");
    nothing_comes(&server);
    (&server).write_all(b"nothing comes back either").unwrap();
    nothing_comes(&client);
    line.proxy.clear();
    arrive(&server, b"45");
    arrive(&client, b"nothing comes back either");
    line.proxy.after(0).cut();
    let client = TcpStream::connect(line.proxy.addr()).unwrap();
    has_ended(&client);
}

#[test]
fn a_server_that_is_down_resets_its_clients_and_is_reached_when_it_is_back() {
    let redis = RedisDaemon::start().unwrap();
    let proxy = redis.proxy().unwrap();
    let client = ::redis::Client::open(proxy.url()).unwrap();
    let mut before = client.get_connection().unwrap();
    {
        let _down = redis.stopped().unwrap();
        assert!(::redis::cmd("PING").exec(&mut before).is_err());
        is_reset(&TcpStream::connect(proxy.addr()).unwrap());
    }
    let mut after = client.get_connection().unwrap();
    ::redis::cmd("PING").exec(&mut after).unwrap();
}

#[test]
fn the_end_of_a_proxy_waits_for_nobody() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.black_hole();
    // Both buffers are full, and nobody reads.
    for stream in [&client, &server] {
        stream.set_nonblocking(true).unwrap();
        while (&mut &*stream).write(&[0; 65536]).is_ok() {}
        stream.set_nonblocking(false).unwrap();
    }
    let Line { proxy, .. } = line;
    let address = proxy.addr();
    drop(proxy);
    // An end or a reset, but not the end of the test's patience.
    let end = rest(&client).map_err(|error| error.kind());
    assert_ne!(end, Err(ErrorKind::WouldBlock));
    assert_eq!(
        TcpStream::connect(address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
}

#[test]
fn a_proxy_says_what_it_does_and_no_password() {
    let redis = RedisDaemon::builder().password("s3cret").start().unwrap();
    let proxy = redis.proxy().unwrap();
    proxy.seed(4711).upstream().latency(Duration::from_millis(7));
    let shown = format!("{proxy:?}");
    assert!(
        shown.contains("seed: 4711") && shown.contains("latency: 7ms"),
        "{shown}"
    );
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(proxy.url().contains("s3cret"));
}

#[test]
fn urls_lead_through_the_proxy_of_their_port_and_no_other() {
    let redis = RedisDaemon::start().unwrap();
    let proxy = redis.proxy().unwrap();
    assert_eq!(proxy.through(&redis.url()).unwrap(), proxy.url());
    let error = proxy.through("redis://127.0.0.1:1/").unwrap_err().to_string();
    assert!(error.contains(&format!("leads to port {}", redis.port())), "{error}");
    let error = redis.proxy_of("admin").unwrap_err().to_string();
    assert_eq!(error, "redis: has no port `admin`: its ports are main");
    let error = Proxy::to("no-such-host.invalid", 1).unwrap_err().to_string();
    assert!(error.contains("`no-such-host.invalid`"), "{error}");
}

#[test]
fn tls_goes_through_the_proxy() {
    let postgres = PostgresDaemon::builder().tls().start().unwrap();
    let proxy = postgres.proxy().unwrap();
    let mut psql = postgres.psql().unwrap();
    psql.arg(proxy.through(&postgres.tls_url().unwrap()).unwrap());
    psql.args([
        "--tuples-only",
        "-c",
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    ]);
    assert_eq!(String::from_utf8_lossy(&psql.output().unwrap().stdout).trim(), "t");
}

#[test]
fn parts_of_shared_servers_have_proxies_of_their_own() {
    let postgres = PostgresDatabase::start().unwrap();
    let proxy = postgres.proxy().unwrap();
    assert!(proxy
        .url()
        .ends_with(&format!(":{}/{}", proxy.port(), postgres.database())));
    let mysql = MySqlDatabase::start().unwrap();
    let other = mysql.proxy().unwrap();
    assert!(other
        .url()
        .ends_with(&format!(":{}/{}", other.port(), mysql.database())));
    let rabbitmq = RabbitMqVirtualHost::start().unwrap();
    let other = rabbitmq.proxy().unwrap();
    assert!(other.url().contains(&format!("@127.0.0.1:{}/", other.port())));
    let redis = once_per_run("faults", RedisDaemon::builder).unwrap();
    let other = redis.proxy().unwrap();
    ::redis::Client::open(other.url()).unwrap().get_connection().unwrap();
}

//! Connections that are reset, by a peer or by the proxy.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::proxy::{arrive, has_ended, is_reset, nothing_comes, pass, Line};
use crate::support::eventually;

/// Closes a socket with bytes unread, which resets its connection.
fn reset_by(from: TcpStream, mut to: &TcpStream) {
    to.write_all(b"unread").unwrap();
    from.peek(&mut [0]).unwrap();
    drop(from);
}

#[test]
fn a_reset_is_passed_on() {
    let line = Line::new();
    let (client, mut server) = line.connect();
    reset_by(client, &server);
    eventually("reset", || match server.write(b"more") {
        Ok(_) => Err(String::from("written")),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error.to_string()),
    });
}

#[test]
fn a_reset_comes_after_what_was_sent_before() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.upstream().latency(Duration::from_millis(30));
    (&client).write_all(b"last words").unwrap();
    reset_by(client, &server);
    arrive(&server, b"last words");
    is_reset(&server);
    eventually("without connections", || match line.proxy.connections() {
        0 => Ok(()),
        open => Err(open),
    });
}

#[test]
fn a_black_hole_keeps_a_reset() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.upstream().black_hole();
    reset_by(client, &server);
    nothing_comes(&server);
    // The proxy learns that nobody is there, and its peer does not.
    (&server).write_all(b"more").unwrap();
    nothing_comes(&server);
    line.proxy.clear();
    is_reset(&server);
}

/// The proxy's thread may not have heard of them yet.
#[test]
fn a_fault_befalls_all_who_have_connected_before() {
    for _ in 0..30 {
        let line = Line::new();
        let connect = || TcpStream::connect(line.proxy.addr()).unwrap();
        let client = connect();
        assert_eq!(line.proxy.connections(), 1);
        line.proxy.reset();
        is_reset(&client);
        let client = connect();
        line.proxy.cut();
        has_ended(&client);
    }
}

#[test]
fn who_has_connected_before_is_not_refused() {
    for _ in 0..30 {
        let line = Line::new();
        let client = TcpStream::connect(line.proxy.addr()).unwrap();
        line.proxy.refuse();
        assert_eq!(line.proxy.connections(), 1);
        let (server, _) = line.server.accept().unwrap();
        pass(&client, &server, b"goes on");
    }
}

#[test]
fn a_reset_is_seen_by_whom_it_is_for() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.reset();
    is_reset(&client);
    is_reset(&server);
    let (client, server) = line.connect();
    line.proxy.downstream().reset();
    is_reset(&client);
    has_ended(&server);
    let (client, server) = line.connect();
    line.proxy.upstream().reset();
    has_ended(&client);
    is_reset(&server);
}

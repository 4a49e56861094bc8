//! What a proxy does to time. Only lower bounds are certain.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::proxy::{arrive, pass, Line};

/// Fails if this takes less.
#[track_caller]
fn takes_at_least(milliseconds: u64, what: impl FnOnce()) {
    let start = Instant::now();
    what();
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(milliseconds), "{took:?}");
}

#[test]
fn latency_delays_each_direction_and_can_be_changed() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy
        .latency(Duration::from_millis(40))
        .jitter(Duration::from_millis(5));
    takes_at_least(80, || {
        pass(&client, &server, b"there");
        pass(&server, &client, b"and back");
    });
    // What is under way comes at once.
    line.proxy.latency(Duration::from_secs(3600));
    (&client).write_all(b"in an hour").unwrap();
    line.proxy.latency(Duration::ZERO);
    arrive(&server, b"in an hour");
    line.proxy.clear();
    line.proxy.upstream().latency(Duration::MAX).jitter(Duration::MAX);
    pass(&server, &client, b"the other direction is free");
}

#[test]
fn a_narrow_line_takes_its_time() {
    let line = Line::new();
    let (client, server) = line.connect();
    let bytes = [7; 10_000];
    line.proxy.upstream().bandwidth(100_000);
    takes_at_least(90, || pass(&client, &server, &bytes));
    line.proxy.bandwidth(0);
    (&client).write_all(b"stuck").unwrap();
    line.proxy.clear();
    arrive(&server, b"stuck");
}

#[test]
fn slices_come_one_after_the_other() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.slices(1, Duration::from_millis(3));
    takes_at_least(27, || pass(&client, &server, b"0123456789"));
    line.proxy.seed(5).slices(4, Duration::ZERO);
    let (client, server) = line.connect();
    pass(&client, &server, &[9; 5000]);
}

#[test]
fn a_new_pace_does_not_wait_for_the_old_one() {
    let line = Line::new();
    let (client, server) = line.connect();
    line.proxy.slices(1, Duration::from_secs(3600));
    pass(&client, &server, b"s");
    (&client).write_all(b"lowly").unwrap();
    line.proxy.slices(usize::MAX, Duration::ZERO);
    arrive(&server, b"lowly");
    line.proxy.clear().bandwidth(1);
    (&client).write_all(b"slowly").unwrap();
    arrive(&server, b"s");
    line.proxy.bandwidth(1_000_000);
    arrive(&server, b"lowly");
}

#[test]
fn an_end_can_come_late() {
    let line = Line::new();
    let (client, mut server) = line.connect();
    line.proxy.slow_close(Duration::from_millis(60));
    takes_at_least(60, || {
        (&client).write_all(b"bye").unwrap();
        drop::<TcpStream>(client);
        let mut all = Vec::new();
        server.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"bye");
    });
}

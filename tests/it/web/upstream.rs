//! A server in the test process, which echoes requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Serves until the test's process ends.
pub(super) struct TestServer {
    pub(super) port: u16,
}

impl TestServer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || serve(stream.unwrap()));
            }
        });
        Self { port }
    }
}

/// Answers requests one after the other: request line, headers, and the length and sum of the body.
fn serve(stream: TcpStream) -> Option<()> {
    let mut input = BufReader::new(stream.try_clone().ok()?);
    let mut output = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if input.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let head = head.to_lowercase();
        if head.contains("\nexpect: 100-continue\r") {
            output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        input.read_exact(&mut body).ok()?;
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        let answer = format!("{}body: {} {sum}\n", head.trim_end_matches("\r\n"), body.len());
        write!(
            output,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )
        .ok()?;
    }
}

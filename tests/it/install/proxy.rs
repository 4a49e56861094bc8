//! An HTTP proxy between apt and its mirror, which can damage what it passes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::eventually;

/// What happens to the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// A byte in the middle of the body is changed.
    Tamper,
    /// The connection ends half-way through the body.
    CutOff,
    /// The answer comes in small pieces, for two seconds.
    Slow,
    /// Nothing comes after half of the body, and the connection stays open.
    Stall,
}

/// A running proxy; it ends with the test's process.
pub(crate) struct Proxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn new(fate: impl Fn(&str) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, fate) = (Arc::clone(&requests), Arc::new(fate));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (log, fate) = (Arc::clone(&log), Arc::clone(&fate));
                // A client may go away, so errors are ignored.
                std::thread::spawn(move || serve(client, &log, fate.as_ref()));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of requests whose URL contains `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|url| url.contains(part)).count()
    }

    /// The number of requests for packages.
    pub(crate) fn packages(&self) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|url| url.ends_with(".deb")).count()
    }

    /// Waits for a request whose URL contains `part`.
    pub(crate) fn wait_for(&self, part: &str) {
        eventually(&format!("a request for {part}"), || match self.count(part) {
            0 => Err(self.requests.lock().unwrap().clone()),
            _ => Ok(()),
        });
    }
}

fn serve(client: TcpStream, log: &Mutex<Vec<String>>, fate: &dyn Fn(&str) -> Fate) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, url) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        // One request per connection: the next may meet another fate.
        if !line.to_ascii_lowercase().contains("connection:") {
            head.push_str(&line);
        }
    }
    log.lock().unwrap().push(url.clone());
    // The mirror may be behind a proxy.
    let upstream = ["http_proxy", "HTTP_PROXY"].iter().find_map(|v| std::env::var(v).ok());
    let (host, target) = match &upstream {
        Some(proxy) => (
            proxy.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            url.clone(),
        ),
        None => {
            let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
            let host = if host.contains(':') {
                host.to_owned()
            } else {
                format!("{host}:80")
            };
            (host, format!("/{path}"))
        }
    };
    let mut server = TcpStream::connect(host).ok()?;
    write!(server, "{method} {target} HTTP/1.1\r\n{head}Connection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    deliver(client, answer, fate(&url))
}

fn deliver(mut client: TcpStream, mut answer: Vec<u8>, fate: Fate) -> Option<()> {
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let middle = body + (answer.len() - body) / 2;
    match fate {
        Fate::Pass => client.write_all(&answer).ok(),
        Fate::Tamper => {
            if let Some(byte) = answer.get_mut(middle) {
                *byte ^= 0x20;
            }
            client.write_all(&answer).ok()
        }
        Fate::Slow => {
            for piece in answer.chunks(answer.len().div_ceil(20)) {
                client.write_all(piece).ok()?;
                std::thread::sleep(Duration::from_millis(100));
            }
            Some(())
        }
        Fate::CutOff => client.write_all(&answer[..middle]).ok(),
        Fate::Stall => {
            client.write_all(&answer[..middle]).ok()?;
            // Until the client gives up.
            client.set_read_timeout(Some(Duration::from_secs(120))).ok()?;
            client.read(&mut [0]).ok().map(drop)
        }
    }
}

//! A relay between clients and a real server of PostgreSQL, which does what networks and false servers
//! do. Its connections have no TLS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use managed_daemons::PostgresDaemon;

/// Changes a message of the server, by its type and content. Returns whether it is to be sent.
type Change = fn(u8, &mut [u8]) -> bool;

pub(super) struct Relay {
    url: String,
    open: Arc<Mutex<Vec<Open>>>,
}

struct Open {
    client: TcpStream,
    is_stalled: Arc<Mutex<bool>>,
}

impl Relay {
    pub(super) fn to(server: &PostgresDaemon, change: Change) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (own, port) = (listener.local_addr().unwrap().port(), server.port());
        let url = format!("{}?sslmode=disable", server.url()).replace(&format!(":{port}/"), &format!(":{own}/"));
        let open: Arc<Mutex<Vec<Open>>> = Arc::default();
        let relay = Self {
            url,
            open: Arc::clone(&open),
        };
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    return;
                };
                let is_stalled = Arc::default();
                relay_both(&client, &server, &is_stalled, change);
                open.lock().unwrap().push(Open { client, is_stalled });
            }
        });
        relay
    }

    /// The URL of the server through this relay.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Loses all that is sent over the connections that there are, without closing them.
    pub(super) fn stall(&self) {
        for open in self.open.lock().unwrap().iter() {
            *open.is_stalled.lock().unwrap() = true;
        }
    }

    /// Closes the connections that there are.
    pub(super) fn cut(&self) {
        for open in self.open.lock().unwrap().drain(..) {
            let _ = open.client.shutdown(Shutdown::Both);
        }
    }
}

fn relay_both(client: &TcpStream, server: &TcpStream, stalled: &Arc<Mutex<bool>>, change: Change) {
    let ends = || {
        (
            client.try_clone().unwrap(),
            server.try_clone().unwrap(),
            Arc::clone(stalled),
        )
    };
    let (mut from, mut to, is_stalled) = ends();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            send(&mut to, &buffer[..length], &is_stalled);
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut to, mut from, is_stalled) = ends();
    thread::spawn(move || {
        let mut header = [0; 5];
        while from.read_exact(&mut header).is_ok() {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
            let mut body = vec![0; length as usize - 4];
            if from.read_exact(&mut body).is_err() {
                break;
            }
            if change(header[0], &mut body) {
                send(&mut to, &[&header, &body[..]].concat(), &is_stalled);
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn send(to: &mut TcpStream, bytes: &[u8], is_stalled: &Mutex<bool>) {
    if !*is_stalled.lock().unwrap() {
        // The other direction finds its end by itself.
        let _ = to.write_all(bytes);
    }
}

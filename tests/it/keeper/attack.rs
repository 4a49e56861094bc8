//! Messages that no process of ours sends.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::{answers, url};
use crate::support::{socket_of_keeper, Run};

#[test]
fn forged_truncated_and_oversized_messages_close_the_connection_and_harm_nobody() {
    let mut run = Run::new();
    let mut sharer = run.start("daemon a");
    let of_sharer = url(&mut sharer);
    let socket = socket_of_keeper(run.root());
    let frame = |kind: u8, body: &[u8]| [&[1, kind], &(body.len() as u32).to_le_bytes()[..], body].concat();
    let join = frame(
        16,
        format!(r#"{{"pid":{},"started":1}}"#, std::process::id()).as_bytes(),
    );
    let joined = |rest: Vec<u8>| [&join[..], &rest].concat();
    for message in [
        // Another version, no request, too long, and of other kinds.
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![2, 16, 0, 0, 0, 0],
        vec![1, 255, 0, 0, 0, 0],
        vec![1, 16, 255, 255, 255, 255],
        // Before one has joined, and joining twice.
        frame(17, b"key"),
        joined(join.clone()),
        // Things that one has no right to.
        joined(frame(18, b"")),
        joined(frame(18, br#"{"data":"","parts":null}"#)),
        joined(frame(21, b"")),
        joined(frame(22, b"")),
        // Messages to a reaper, by one who makes nothing.
        joined(frame(1, b"/\0{\"prefix\":\"\"}")),
        joined(frame(4, b"\0{\"id\":1}")),
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may close before all is written.
        let _ = stream.write_all(&message);
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest == [1, 16, 0, 0, 0, 0], "{message:?}: {rest:?}");
    }
    // Half of a message, and then nothing.
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(&join[..9]).unwrap();
    assert!(answers(&of_sharer));
    let mut second = run.start("daemon a");
    assert_eq!(url(&mut second), of_sharer);
    drop(stream);
    run.end();
    run.assert_nothing_left();
}

//! The floor's request to each daemon, in a few bytes of its protocol.

use managed_daemons::{Daemon as _, MySql, Nginx, Postgres, Redis};
use nix::sys::signal::Signal;

use crate::floor::Question;

/// AUTH and PING.
pub(crate) fn redis(redis: &Redis) -> Question {
    let settings = redis.settings();
    let password: String = settings.get("password").unwrap_or_default();
    Question {
        request: format!("AUTH {password}\r\nPING\r\n").into_bytes(),
        answer: |answer| answer.starts_with(b"+OK"),
        end: Signal::SIGKILL,
    }
}

/// A request for the root page.
pub(crate) fn nginx(_: &Nginx) -> Question {
    Question {
        request: b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        answer: |answer| answer.starts_with(b"HTTP/1."),
        end: Signal::SIGKILL,
    }
}

/// A StartupMessage: a server that is not ready refuses it, and a ready one answers with an
/// authentication request.
pub(crate) fn postgres(_: &Postgres) -> Question {
    let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    Question {
        request: [&length.to_be_bytes()[..], body].concat(),
        answer: |answer| answer.starts_with(b"R"),
        // SIGKILL would leave its workers on the port for a while, and its shared memory forever.
        end: Signal::SIGQUIT,
    }
}

/// No request: the server speaks first. After the length and the number of the packet comes the
/// protocol version.
pub(crate) fn mysql(_: &MySql) -> Question {
    Question {
        request: Vec::new(),
        answer: |answer| answer.get(4) == Some(&10),
        end: Signal::SIGKILL,
    }
}

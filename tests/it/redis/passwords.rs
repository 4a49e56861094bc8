//! Redis is protected by a password, and any text can be one.

use managed_daemons::{with_redis, RedisDaemon};

use crate::support::{connect, get, set};

/// Texts that have a meaning in a configuration file, a shell, a URL or a protocol.
const NASTY: &[&str] = &[
    "two words",
    "\"quoted\"",
    "a'b",
    "back\\slash\\",
    "line\nport 1",
    "carriage\r\nreturn",
    "# no comment",
    "tab\there",
    "%41@:/?#[]",
    "$HOME `id` $(id)",
    "ünïcödé ✓",
    "\u{1}\u{7f}",
    " ",
];

#[with_redis]
#[test]
fn the_password_is_required_random_and_shown_nowhere(one: RedisDaemon) {
    let other = RedisDaemon::start().unwrap();
    assert_ne!(one.password(), other.password());
    assert_eq!(one.password().unwrap().len(), 32);
    for url in [
        format!("redis://127.0.0.1:{}/", one.port()),
        format!("redis://:wrong@127.0.0.1:{}/", one.port()),
    ] {
        let answer = redis::Client::open(url)
            .and_then(|client| client.get_connection())
            .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
        assert!(answer.is_err(), "{answer:?}");
    }
    let shown = format!("{one:?} {:?}", *one);
    assert!(!shown.contains(one.password().unwrap()), "{shown}");
    let line = std::fs::read(format!("/proc/{}/cmdline", one.pid().unwrap())).unwrap();
    assert!(!String::from_utf8_lossy(&line).contains(one.password().unwrap()));
}

#[test]
fn any_text_can_be_the_password() {
    for password in NASTY {
        let daemon = RedisDaemon::builder().password(*password).start().unwrap();
        set(&daemon, "foo", "bar").unwrap();
        assert_eq!(daemon.password(), Some(*password));
        let mut by_socket = redis::Client::open(daemon.unix_socket_url())
            .unwrap()
            .get_connection()
            .unwrap();
        let value: String = redis::cmd("GET").arg("foo").query(&mut by_socket).unwrap();
        assert_eq!(value, "bar");
        daemon.restart().unwrap();
        let dir = daemon.detach().unwrap();
        let loaded = RedisDaemon::load(dir).unwrap();
        assert_eq!(get(&loaded, "foo").unwrap().as_deref(), Some("bar"), "{password:?}");
    }
}

#[test]
fn any_text_can_be_the_password_of_an_extra_user() {
    for password in NASTY {
        let daemon = RedisDaemon::builder()
            .extra_user("app#1\"x", *password)
            .start()
            .unwrap();
        let mut connection = connect(&daemon).unwrap();
        let answer: String = redis::cmd("AUTH")
            .arg("app#1\"x")
            .arg(*password)
            .query(&mut connection)
            .unwrap();
        assert_eq!(answer, "OK", "{password:?}");
        let me: String = redis::cmd("ACL").arg("WHOAMI").query(&mut connection).unwrap();
        assert_eq!(me, "app#1\"x");
    }
}

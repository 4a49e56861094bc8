//! What the tests of a run share, and the process that keeps it.

mod attack;
mod killed;
mod once;
mod turns;
mod whose;

use crate::support::Sharer;

/// Whether the Redis at this URL answers.
fn answers(url: &str) -> bool {
    let client = redis::Client::open(url).unwrap();
    let connection = client.get_connection();
    connection.is_ok_and(|mut connection| redis::cmd("PING").exec(&mut connection).is_ok())
}

/// The URL that a sharer prints.
#[track_caller]
fn url(sharer: &mut Sharer) -> String {
    let line = sharer.line();
    assert!(line.starts_with("redis://"), "{line}");
    line
}

//! Any program as a daemon.

mod failures;
mod life;
mod options;
mod order;
mod ready;
mod snippets;

use managed_daemons::{CommandBuilder, CommandDaemon};

use crate::support::{program, unruly_program};

/// The misbehaving daemon, in one of its modes.
fn unruly(mode: &str) -> CommandBuilder {
    CommandDaemon::builder()
        .program(unruly_program())
        .config_file("unruly.conf", format!("{mode}\n{{port}}\n"))
        .arg("unruly.conf")
}

/// A script for a shell.
fn shell(script: &str) -> CommandBuilder {
    CommandDaemon::builder().program("sh").args(["-c", script])
}

/// The web server, without a database.
fn shop() -> CommandBuilder {
    CommandDaemon::builder()
        .program(program!("shop"))
        .env("PORT", "{port}")
        .env("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
}

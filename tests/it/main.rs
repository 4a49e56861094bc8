//! One test binary, with a module per room of the framework and per daemon, and one for machines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy.toml allows them in test functions alone
#![allow(clippy::print_stdout)] // what can't be tested here

mod artifacts;
mod attribute;
mod cleanup;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod command;
mod external;
mod faults;
mod handle;
mod install;
#[cfg(feature = "cli")]
mod instances;
mod isolation;
mod keeper;
mod machine;
mod memcached;
mod mysql;
mod postgres;
mod process;
mod program;
mod rabbitmq;
mod recipe;
mod redis;
mod report;
mod settings;
mod shared;
mod support;
mod template;
mod trace;
mod valkey;
mod versions;
mod web;

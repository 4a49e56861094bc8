//! One test binary, with a module per room of the framework and per daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy.toml allows them in test functions alone

mod attribute;
mod cleanup;
#[cfg(feature = "cli")]
mod cli;
mod handle;
mod install;
mod isolation;
mod memcached;
mod mysql;
mod postgres;
mod process;
mod rabbitmq;
mod recipe;
mod redis;
mod support;
mod template;
mod valkey;
mod web;

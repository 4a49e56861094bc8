//! One test binary, a folder per room of the framework and per daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in the tests' helpers, too

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

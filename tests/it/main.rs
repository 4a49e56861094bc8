//! One test binary, a module per behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in what tests have in common, too

mod bad_input;
mod failure;
mod find_errors;
mod find_order;
mod find_speed;
mod find_versions;
mod isolation;
mod lifecycle;
mod macro_errors;
mod macro_set_up;
mod macros;
mod memcached;
mod mysql;
mod nothing_left;
mod own_daemon;
mod pausing;
mod postgres;
mod provision_apt;
#[cfg(feature = "cli")]
mod provision_cli;
mod provision_faults;
mod provision_probe;
mod provision_progress;
mod provision_proxy;
mod provision_store;
mod provision_support;
mod provision_versions;
mod rabbitmq;
mod rstest_fixtures;
mod shared;
mod support;
mod together;
mod valkey;
mod victims;
mod web;

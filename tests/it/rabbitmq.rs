//! RabbitMQ, used through its clients.

mod alarms;
mod client;
mod cluster;
mod cold_cache;
mod config_file;
mod definitions;
mod isolation;
mod killed_test_process;
mod lifecycle;
mod listening;
mod messages;
mod options;
mod plugin_files;
mod tools;

pub(crate) use client::is_let_in;

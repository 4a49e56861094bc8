//! Each daemon is alone: its own directory, port, password, user and environment.

mod environment;
mod ports;
mod working_dir;

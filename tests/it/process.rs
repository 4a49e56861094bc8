//! The processes of a daemon.

mod pause;

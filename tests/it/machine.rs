//! Unusual machines: what a runner or a container leaves to the tests, and what may be missing.

pub(crate) mod every_daemon;
mod exhausted;
mod full_disk;
mod ignored_sigchld;
mod limits;
mod loopback;
mod memory;
mod umask;
mod user_without_name;

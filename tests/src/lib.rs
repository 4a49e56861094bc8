//! What the tests, benchmarks and programs of this crate share.

mod leftovers;
mod servers;
mod unruly;

pub use leftovers::{leftovers, mounts, processes_of, unix_sockets};
pub use servers::{mariadb, mysql, mysql_suite, postgres, Server};
pub use unruly::{Unruly, UnrulyDaemon};

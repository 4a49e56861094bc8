//! What the tests, benchmarks and programs of this crate share.

mod leftovers;
mod servers;
mod unruly;

pub use leftovers::{leftovers, processes_of};
pub use servers::{mariadb, mysql, postgres, Server};
pub use unruly::{Unruly, UnrulyDaemon};

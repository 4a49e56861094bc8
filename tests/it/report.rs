//! What a failed test says of its daemons.

mod daemons;
mod failures;
mod log;
mod snapshot;

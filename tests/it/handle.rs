//! The handle: a daemon's life, and a failed start.

mod failed_start;
mod lifecycle;
mod load;
mod shared;

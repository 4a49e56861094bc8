//! One test binary, a module per behaviour.

mod bad_input;
mod failure;
mod isolation;
mod lifecycle;
mod nothing_left;
mod own_daemon;
mod shared;
mod support;
mod victims;
mod web;

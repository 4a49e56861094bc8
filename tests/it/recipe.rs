//! Daemons that are defined outside the framework.

mod own_daemon;

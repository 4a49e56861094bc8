//! Any program as a daemon.

mod snippets;

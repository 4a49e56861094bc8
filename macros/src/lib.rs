//! Attribute macros of `managed-daemons`; use them through that crate.

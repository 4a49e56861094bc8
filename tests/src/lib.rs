//! The framework, used as an outside crate would use it.

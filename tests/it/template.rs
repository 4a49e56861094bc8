//! Data directories that are made once and copied.

mod foreign;

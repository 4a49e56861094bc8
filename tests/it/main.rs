//! One test binary, a module per behaviour.

mod lifecycle;
mod postgres_tmp;

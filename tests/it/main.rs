//! One test binary, a module per behaviour.

mod lifecycle;
mod macro_errors;

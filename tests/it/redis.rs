//! Redis: what only it has.

mod options;
mod passwords;

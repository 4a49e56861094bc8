//! Redis: what only it has.

mod init_file;
mod options;
mod passwords;

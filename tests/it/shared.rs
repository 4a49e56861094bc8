//! Parts of servers that the whole run shares: a database or a virtual host for each test.

mod attributes;
mod chaos;
mod contents;
mod isolation;
mod servers;

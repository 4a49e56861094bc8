//! nginx and Apache: the same tests on both, in the language of each.

mod apache;
mod both;
mod client;
mod configurations;
mod dialect;
mod killed;
mod lifecycle;
mod nginx;
mod proxies;
mod reloads;
mod tls;
mod upstream;

use client::{answer, get, Answer};
use dialect::Dialect;
use upstream::TestServer;

/// Runs each of these functions, which are generic over the server, as a test on each server.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_nginx {
            $(#[test] fn $test() { super::$test::<managed_daemons::Nginx>(); })*
        }
        mod on_apache {
            $(#[test] fn $test() { super::$test::<managed_daemons::Apache>(); })*
        }
    };
}
use on_both;

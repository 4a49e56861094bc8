//! nginx and Apache. Most tests run on both, with the configuration language of each.

mod apache;
mod client;
mod config_syntax;
mod configuration;
mod deployed;
mod killed_test_process;
mod lifecycle;
mod modules;
mod nginx;
mod proxies;
mod reloads;
mod serving;
mod tls;
mod upstream;

use client::{answer, get, Answer};
use config_syntax::{ConfigSyntax, Server};
use upstream::TestServer;

/// Makes two tests of each function, one per server. The functions are generic over the server.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_nginx {
            $(#[test] fn $test() { super::$test::<managed_daemons::NginxServer>(); })*
        }
        mod on_apache {
            $(#[test] fn $test() { super::$test::<managed_daemons::ApacheServer>(); })*
        }
    };
}
use on_both;

//! Attribute macros of `managed-daemons`; use them through that crate, which re-exports them.
//!
//! They expand to calls of its hidden module `attribute`, so this crate is of no use alone, and the two are
//! released together.
//!
//! ```test_harness
//! use managed_daemons::{with_redis, RedisDaemon};
//!
//! #[with_redis(setting("maxmemory", "8mb"))]
//! #[test]
//! fn answers(redis: RedisDaemon) {
//!     assert!(redis.is_running());
//! }
//! ```

mod args;
mod attributes;
mod claims;
mod expand;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// What tells one attribute from another.
#[derive(Clone, Copy)]
pub(crate) struct Daemon {
    /// The attribute's name.
    attribute: &'static str,
    /// The handle's name in `managed_daemons`; none where the attribute's first argument is the type.
    handle: Option<&'static str>,
}

impl Daemon {
    const GIVEN: Daemon = Daemon {
        attribute: "with_daemon",
        handle: None,
    };

    /// The daemon whose handle this type is.
    fn of_handle(ty: &syn::Type) -> Option<Daemon> {
        let name = &signature::last_segment(ty)?.ident;
        DAEMONS
            .iter()
            .find(|daemon| daemon.handle.is_some_and(|handle| name == handle))
            .copied()
    }

    /// The attribute of this name, if it is one of ours.
    fn named(attribute: &str) -> Option<Daemon> {
        DAEMONS.iter().find(|daemon| attribute == daemon.attribute).copied()
    }
}

/// The attributes, one line for each daemon: the attribute's name, then the handle's; in brackets what keeps the example from running
/// everywhere, as with a daemon that not every distribution has.
macro_rules! daemons {
    ($($attribute:ident => $handle:ident $(($example:ident))?,)*) => {
        const DAEMONS: &[Daemon] = &[
            Daemon::GIVEN,
            $(Daemon { attribute: stringify!($attribute), handle: Some(stringify!($handle)) },)*
        ];

        $(
            #[doc = concat!("Hands a test function a freshly started `", stringify!($handle), "`, gone when the test is.")]
            #[doc = ""]
            #[doc = concat!("```test_harness" $(, ",", stringify!($example))?)]
            #[doc = concat!("use managed_daemons::{", stringify!($attribute), ", ", stringify!($handle), "};")]
            #[doc = ""]
            #[doc = concat!("#[", stringify!($attribute), "]")]
            #[doc = "#[test]"]
            #[doc = concat!("fn answers(daemon: ", stringify!($handle), ") {")]
            #[doc = "    assert!(daemon.is_running());"]
            #[doc = "}"]
            #[doc = "```"]
            #[doc = ""]
            #[doc = include_str!("../docs/attribute.md")]
            #[proc_macro_attribute]
            pub fn $attribute(args: TokenStream, item: TokenStream) -> TokenStream {
                let daemon = Daemon { attribute: stringify!($attribute), handle: Some(stringify!($handle)) };
                expand::expand(daemon, args.into(), item.into()).into()
            }
        )*
    };
}

daemons! {
    with_apache => ApacheDaemon,
    with_memcached => MemcachedDaemon,
    with_mysql => MySqlDaemon,
    with_nginx => NginxDaemon,
    with_postgres => PostgresDaemon,
    with_rabbitmq => RabbitMqDaemon,
    with_redis => RedisDaemon,
    with_valkey => ValkeyDaemon (no_run),
}

#[doc = include_str!("../docs/with_daemon.md")]
#[doc = include_str!("../docs/attribute.md")]
#[proc_macro_attribute]
pub fn with_daemon(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Daemon::GIVEN, args.into(), item.into()).into()
}

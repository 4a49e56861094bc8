//! The attribute macros of `managed-daemons`, which re-exports them: use them through that crate.
//!
//! The macros expand to calls into its hidden module `attribute`. So this crate is of no use on its
//! own, and both are released together.
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

mod arguments;
mod assignment;
mod attributes;
mod dependencies;
mod errors;
mod expand;
mod function;
mod parameter;
mod request;
#[cfg(test)]
mod tests;
mod types;

use proc_macro::TokenStream;

/// The kind of daemon that an attribute starts.
#[derive(Clone, Copy)]
pub(crate) struct DaemonKind {
    /// The attribute's name.
    attribute: &'static str,
    /// The name of the handle in `managed_daemons`; `None` for `with_daemon`, which takes a type.
    handle: Option<&'static str>,
    /// Whether the attribute begins with the program to run, and has lists as options.
    takes_program: bool,
    /// Whether it is a part of a server that the run shares. An async test waits for its contents in
    /// its own runtime.
    is_part: bool,
}

impl DaemonKind {
    /// The kind of `with_daemon`.
    const CUSTOM: DaemonKind = DaemonKind {
        attribute: "with_daemon",
        handle: None,
        takes_program: false,
        is_part: false,
    };

    /// The kind of `with_command`.
    const PROGRAM: DaemonKind = DaemonKind {
        takes_program: true,
        ..DaemonKind::built_in("with_command", "CommandDaemon")
    };

    const fn built_in(attribute: &'static str, handle: &'static str) -> DaemonKind {
        DaemonKind {
            attribute,
            handle: Some(handle),
            takes_program: false,
            is_part: false,
        }
    }

    const fn part(attribute: &'static str, handle: &'static str) -> DaemonKind {
        DaemonKind {
            is_part: true,
            ..DaemonKind::built_in(attribute, handle)
        }
    }

    /// The kind whose handle this type is.
    fn of_handle(ty: &syn::Type) -> Option<DaemonKind> {
        let name = &types::last_segment(ty)?.ident;
        let is_named = |handle| name == handle;
        (DAEMON_KINDS.iter().copied()).find(|kind| kind.handle.is_some_and(is_named))
    }

    /// The kind of the attribute with this name; `None` for an attribute that is not ours.
    fn of_attribute(name: &str) -> Option<DaemonKind> {
        DAEMON_KINDS.iter().copied().find(|kind| kind.attribute == name)
    }
}

/// Defines the attributes, and [`for_each_daemon`], [`for_each_group`] and [`for_each_part`]. Each
/// line is a daemon: the names of its attribute and its handle. A flag in parentheses is for the
/// doctests: `no_run` if not every distribution has the daemon. The names of groups and parts begin
/// with that of their daemon.
macro_rules! daemons {
    (
        { $($attribute:ident => $handle:ident $(($doctest_flag:ident))?,)* }
        groups { $($group:ident => $group_handle:ident $(($group_flag:ident))?,)* }
        parts { $($part:ident => $part_handle:ident,)* }
    ) => {
        const DAEMON_KINDS: &[DaemonKind] = &[
            DaemonKind::CUSTOM,
            DaemonKind::PROGRAM,
            $(DaemonKind::built_in(stringify!($attribute), stringify!($handle)),)*
            $(DaemonKind::built_in(stringify!($group), stringify!($group_handle)),)*
            $(DaemonKind::part(stringify!($part), stringify!($part_handle)),)*
        ];

        /// Calls the macro with this name, and gives it a row for each daemon:
        /// `"redis": redis, with_redis, RedisDaemon, redis_daemon, shared_redis_daemon, "";`.
        ///
        /// The columns are its feature, which is also the name of its module, its attribute, its
        /// handle, its two fixtures for rstest, and the flag of its doctests.
        #[doc(hidden)]
        #[proc_macro]
        pub fn for_each_daemon(callback: TokenStream) -> TokenStream {
            let callback = proc_macro2::TokenStream::from(callback);
            let rows = [$(
                table_row(stringify!($attribute), stringify!($handle), concat!($(stringify!($doctest_flag))?)),
            )*];
            quote::quote!(#callback! { #(#rows)* }).into()
        }

        /// Calls the macro with this name, and gives it a row for each group of daemons:
        /// `"redis": RedisCluster, redis_cluster, shared_redis_cluster, "";`.
        ///
        /// The columns are its feature, its handle, its two fixtures for rstest, and the flag of
        /// its doctests.
        #[doc(hidden)]
        #[proc_macro]
        pub fn for_each_group(callback: TokenStream) -> TokenStream {
            let callback = proc_macro2::TokenStream::from(callback);
            let rows = [$(
                group_row(stringify!($group), stringify!($group_handle), concat!($(stringify!($group_flag))?)),
            )*];
            quote::quote!(#callback! { #(#rows)* }).into()
        }

        /// Calls the macro with this name, and gives it a row for each part of a shared server:
        /// `"postgres": PostgresDatabase, postgres_database;`.
        ///
        /// The columns are its feature, its handle, and its fixture for rstest.
        #[doc(hidden)]
        #[proc_macro]
        pub fn for_each_part(callback: TokenStream) -> TokenStream {
            let callback = proc_macro2::TokenStream::from(callback);
            let rows = [$(part_row(stringify!($part), stringify!($part_handle)),)*];
            quote::quote!(#callback! { #(#rows)* }).into()
        }

        $(attribute! {
            $attribute, $handle, built_in, concat!($(",", stringify!($doctest_flag))?), "is_running()",
            "Starts a fresh `", "` for a test function,"
        })*
        $(attribute! {
            $group, $group_handle, built_in, concat!($(",", stringify!($group_flag))?), "wait_until_ok().is_ok()",
            "Starts a fresh `", "` for a test function,"
        })*
        $(attribute! {
            $part, $part_handle, part, "", "url().contains(\"127.0.0.1\")",
            "Gives a test function a `", "` of its own, on a server that the whole run shares,"
        })*
    };
}

/// Defines an attribute. `$asserted` is what its example asserts of the handle.
macro_rules! attribute {
    (
        $attribute:ident, $handle:ident, $kind:ident, $doctest_flag:expr, $asserted:literal,
        $before:literal, $after:literal
    ) => {
        #[doc = concat!($before, stringify!($handle), $after)]
        #[doc = "and removes it when the test ends."]
        #[doc = ""]
        #[doc = concat!("```test_harness", $doctest_flag)]
        #[doc = concat!("use managed_daemons::", stringify!($attribute), ";")]
        #[doc = concat!("use managed_daemons::", stringify!($handle), ";")]
        #[doc = ""]
        #[doc = concat!("#[", stringify!($attribute), "]")]
        #[doc = "#[test]"]
        #[doc = concat!("fn answers(daemon: ", stringify!($handle), ") {")]
        #[doc = concat!("    assert!(daemon.", $asserted, ");")]
        #[doc = "}"]
        #[doc = "```"]
        #[doc = ""]
        #[doc = include_str!("../docs/attribute.md")]
        #[proc_macro_attribute]
        pub fn $attribute(args: TokenStream, item: TokenStream) -> TokenStream {
            let kind = DaemonKind::$kind(stringify!($attribute), stringify!($handle));
            expand::expand(kind, args.into(), item.into()).into()
        }
    };
}

daemons! {
    {
        with_apache => ApacheDaemon,
        with_memcached => MemcachedDaemon,
        with_mysql => MySqlDaemon,
        with_nginx => NginxDaemon,
        with_postgres => PostgresDaemon,
        with_rabbitmq => RabbitMqDaemon,
        with_redis => RedisDaemon,
        with_valkey => ValkeyDaemon (no_run),
    }
    groups {
        with_redis_cluster => RedisCluster,
        with_redis_sentinel => RedisSentinel,
        with_valkey_cluster => ValkeyCluster (no_run),
        with_valkey_sentinel => ValkeySentinel (no_run),
    }
    parts {
        with_mysql_database => MySqlDatabase,
        with_postgres_database => PostgresDatabase,
        with_rabbitmq_virtual_host => RabbitMqVirtualHost,
    }
}

/// Stands for each attribute whose feature is not enabled, to say so.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn without_feature(_args: TokenStream, _item: TokenStream) -> TokenStream {
    quote::quote!(compile_error! {
        "the feature of this attribute is not enabled. It is named like the daemon: for `with_postgres` and \
         `with_postgres_database`, write `managed-daemons = { version = \"0.1\", features = [\"postgres\"] }` \
         in Cargo.toml"
    })
    .into()
}

fn table_row(attribute: &str, handle: &str, doctest_flag: &str) -> proc_macro2::TokenStream {
    let daemon = attribute.trim_start_matches("with_");
    let names = [
        daemon,
        attribute,
        handle,
        &format!("{daemon}_daemon"),
        &format!("shared_{daemon}_daemon"),
    ];
    let names = names.map(|name| quote::format_ident!("{name}"));
    quote::quote!(#daemon: #(#names),*, #doctest_flag;)
}

fn group_row(attribute: &str, handle: &str, doctest_flag: &str) -> proc_macro2::TokenStream {
    let group = attribute.trim_start_matches("with_");
    let feature = group.split('_').next();
    let names = [handle, group, &format!("shared_{group}")];
    let names = names.map(|name| quote::format_ident!("{name}"));
    quote::quote!(#feature: #(#names),*, #doctest_flag;)
}

fn part_row(attribute: &str, handle: &str) -> proc_macro2::TokenStream {
    let part = attribute.trim_start_matches("with_");
    let feature = part.split('_').next();
    let names = [handle, part].map(|name| quote::format_ident!("{name}"));
    quote::quote!(#feature: #(#names),*;)
}

#[doc = include_str!("../docs/with_daemon.md")]
#[doc = include_str!("../docs/attribute.md")]
#[proc_macro_attribute]
pub fn with_daemon(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(DaemonKind::CUSTOM, args.into(), item.into()).into()
}

#[doc = include_str!("../docs/with_command.md")]
#[doc = include_str!("../docs/attribute.md")]
#[proc_macro_attribute]
pub fn with_command(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(DaemonKind::PROGRAM, args.into(), item.into()).into()
}

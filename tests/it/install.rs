//! Finding a binary, and fetching it where there is none.

mod add_ons;
mod any_package;
mod apt;
mod failed_fetch;
mod not_found;
mod other_sources;
pub(crate) mod probe;
mod progress;
mod proxy;
mod search_cache;
mod search_order;
mod store;
mod versions;

//! One test binary, a module per behaviour.
mod find_errors;
mod find_order;
mod find_speed;
mod find_versions;
mod provision_apt;
mod provision_support;

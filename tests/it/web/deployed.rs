//! Configurations as they are deployed, for the ports, paths and hosts of another machine.

mod apache;
mod files;
mod mistakes;
mod modules;
mod nginx;
mod reloads;
mod sites;
mod templates;

use files::Deployment;

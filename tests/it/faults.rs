//! Daemons, networks and disks that fail, and clients that suffer and recover.

mod disk;
mod guards;
mod killed;
mod lapin;
mod proxy;
mod proxy_resets;
mod proxy_timing;
mod redis;
mod sqlx;

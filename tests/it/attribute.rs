//! The attributes and the fixtures that give a test its daemon.

mod all_daemons;
mod failed_set_up;
mod kinds_of_test;
mod rstest_fixtures;

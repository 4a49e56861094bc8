//! Nothing outlives the test process.

mod dead_test_process;
mod finished_test_process;
mod reaper;
mod sweep;

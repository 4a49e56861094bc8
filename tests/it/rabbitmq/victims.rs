//! Run by `isolation`, in processes of their own. They are no tests of anything themselves, hence ignored.

use managed_daemons::RabbitMqDaemon;

#[test]
#[ignore = "to be looked after by `isolation`"]
fn starts_once() {
    drop(RabbitMqDaemon::start().unwrap());
}

#[test]
#[ignore = "to be killed by `isolation`"]
fn churns() {
    loop {
        drop(RabbitMqDaemon::start());
    }
}

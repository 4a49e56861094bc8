//! Run by `isolation` and `killed`, in processes of their own. They are no tests of anything themselves, hence ignored.

use managed_daemons::RabbitMqDaemon;

#[test]
#[ignore = "to be looked after by `isolation`"]
fn starts_once() {
    drop(RabbitMqDaemon::start().unwrap());
}

#[test]
#[ignore = "to be killed by `killed`"]
fn churns() {
    loop {
        RabbitMqDaemon::start().unwrap().restart().unwrap();
    }
}

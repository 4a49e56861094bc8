//! Run by `isolation` and `killed`, in processes of their own. They are no tests of anything themselves, hence ignored.

use std::net::TcpListener;

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

#[test]
#[ignore = "to be looked after by `isolation`"]
fn loses_a_port() {
    let configured = RabbitMqDaemon::builder().configure().unwrap();
    let _thief = TcpListener::bind(("127.0.0.1", configured.port())).unwrap();
    drop(configured.start().unwrap());
}

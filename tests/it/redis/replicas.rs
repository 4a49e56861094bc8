//! Replicas.

use std::time::Duration;

use managed_daemons::RedisDaemon;

use super::ask;
use crate::support::{config, start_failure};

#[test]
fn a_replica_has_the_data_at_once_and_follows() {
    let primary = RedisDaemon::builder()
        .password("p\"w #1")
        .extra_user("clerk", "s3cret")
        .setting("maxmemory", "64mb")
        .start()
        .unwrap();
    let _: () = ask(&primary, &["SET", "before", "1"]).unwrap();
    let replica = primary.replica().unwrap_or_else(|error| panic!("{}", error.report()));
    assert_ne!(replica.port(), primary.port());
    assert_eq!(ask::<String>(&replica, &["GET", "before"]).unwrap(), "1");
    assert_eq!(config(&replica, "maxmemory"), "67108864");
    let _: () = ask(&primary, &["SET", "after", "2"]).unwrap();
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(ask::<String>(&replica, &["GET", "after"]).unwrap(), "2");
    let error = ask::<()>(&replica, &["SET", "a", "1"]).unwrap_err().to_string();
    assert!(error.contains("READONLY") || error.contains("read only"), "{error}");
    let clerk = format!("redis://clerk:s3cret@127.0.0.1:{}/", replica.port());
    let mut clerk = redis::Client::open(clerk).unwrap().get_connection().unwrap();
    assert!(redis::cmd("GET").arg("after").query::<String>(&mut clerk).is_ok());
}

#[test]
fn a_replica_catches_up_after_a_restart_of_either_server_or_a_load() {
    let primary = RedisDaemon::start().unwrap();
    let replica = primary.replica().unwrap();
    replica.stop().unwrap();
    let _: () = ask(&primary, &["SET", "n", "1"]).unwrap();
    replica.start_if_not_running().unwrap();
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(ask::<i32>(&replica, &["GET", "n"]).unwrap(), 1);
    let dir = replica.detach().unwrap();
    let replica = RedisDaemon::load(dir).unwrap();
    replica.restart().unwrap();
    let _: () = ask(&primary, &["INCR", "n"]).unwrap();
    primary.restart().unwrap();
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(ask::<i32>(&replica, &["GET", "n"]).unwrap(), 2);
    replica.destroy().unwrap();
}

#[test]
fn a_promoted_replica_takes_writes_and_keeps_them() {
    let primary = RedisDaemon::builder().without_password().start().unwrap();
    let replica = primary.replica().unwrap();
    let own_replica = replica.replica().unwrap();
    primary.kill().unwrap();
    replica.promote().unwrap();
    let _: () = ask(&replica, &["SET", "n", "1"]).unwrap();
    own_replica.catch_up_with(&replica).unwrap();
    assert_eq!(ask::<i32>(&own_replica, &["GET", "n"]).unwrap(), 1);
    replica.restart().unwrap();
    assert_eq!(ask::<i32>(&replica, &["INCR", "n"]).unwrap(), 2);
    let dir = replica.detach().unwrap();
    let replica = RedisDaemon::load(dir).unwrap();
    replica.restart().unwrap();
    assert_eq!(ask::<i32>(&replica, &["INCR", "n"]).unwrap(), 3);
    replica.destroy().unwrap();
}

#[test]
fn a_server_without_the_right_primary_says_so() {
    let (one, other) = (RedisDaemon::start().unwrap(), RedisDaemon::start().unwrap());
    for error in [one.catch_up_with(&other).unwrap_err(), one.promote().unwrap_err()] {
        assert!(error.to_string().contains("no replica"), "{error}");
    }
    // The same server with another handle, which waits for less time.
    let dir = one.replica().unwrap().detach().unwrap();
    let impatient = RedisDaemon::builder().start_timeout(Duration::from_millis(300));
    let replica = impatient.load(dir).unwrap();
    let _: () = ask(&other, &["SET", "a", "1"]).unwrap();
    let error = replica.catch_up_with(&other).unwrap_err().to_string();
    assert!(error.contains("catch up with its primary"), "{error}");
    replica.destroy().unwrap();
    let late = one.replica_builder();
    one.kill().unwrap();
    let report = start_failure(late.start());
    assert!(report.contains("connect to the primary"), "{report}");
    one.start_if_not_running().unwrap();
    let wrong = one.replica_builder().setting("masterauth", "wrong");
    // Long enough for it to be told so.
    let report = start_failure(wrong.start_timeout(Duration::from_secs(10)).start());
    assert!(report.contains("WRONGPASS"), "{report}");
}

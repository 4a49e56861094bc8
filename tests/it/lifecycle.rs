//! Start, use, stop, start again, still there: what a user does with a handle.

use managed_daemons::RedisDaemon;

fn get(daemon: &RedisDaemon, key: &str) -> redis::RedisResult<Option<String>> {
    let mut connection = redis::Client::open(daemon.url())?.get_connection()?;
    redis::cmd("GET").arg(key).query(&mut connection)
}

fn set(daemon: &RedisDaemon, key: &str, value: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(daemon.url())?.get_connection()?;
    redis::cmd("SET").arg(key).arg(value).query(&mut connection)
}

#[test]
fn stop_keeps_data_and_port() {
    let daemon = RedisDaemon::start().unwrap();
    let port = daemon.port();
    set(&daemon, "foo", "bar").unwrap();
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
    daemon.stop().unwrap();
    assert!(!daemon.is_running());
    assert!(get(&daemon, "foo").is_err());
    assert!(daemon.start_if_not_running().unwrap());
    assert!(!daemon.start_if_not_running().unwrap());
    assert_eq!(daemon.port(), port);
    assert_eq!(get(&daemon, "foo").unwrap().as_deref(), Some("bar"));
}

#[managed_daemons::with_redis]
#[test]
fn a_test_is_handed_one(redis: RedisDaemon) {
    set(&redis, "foo", "bar").unwrap();
}

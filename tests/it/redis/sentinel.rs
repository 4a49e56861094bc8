//! Fail-overs by Sentinel, with the client that people use.

use std::fs;
use std::time::Duration;

use managed_daemons::{with_redis_sentinel, RedisDaemon, RedisSentinel};
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::RedisConnectionInfo;

use super::ask;
use crate::support::{eventually, start_failure};

fn client(sentinel: &RedisSentinel) -> SentinelClient {
    let login = RedisConnectionInfo::default();
    let login = match sentinel.nodes()[0].password() {
        Some(password) => login.set_password(password),
        None => login,
    };
    let login = SentinelNodeConnectionInfo::default().set_redis_connection_info(login);
    let name = sentinel.service_name().to_owned();
    SentinelClient::build(sentinel.urls(), name, Some(login), SentinelServerType::Master).unwrap()
}

/// On a busy machine, a server may say nothing for longer than the default.
const DOWN_AFTER: Duration = Duration::from_secs(4);

#[with_redis_sentinel(down_after = DOWN_AFTER)]
#[test]
fn the_client_finds_the_primary_before_and_after_a_fail_over(sentinel: RedisSentinel) {
    let mut client = client(&sentinel);
    let _: () = redis::cmd("SET")
        .arg("key")
        .arg(1)
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    let first = sentinel.primary().unwrap();
    assert_eq!(first.port(), sentinel.nodes()[0].port());
    assert_eq!(ask::<i32>(first, &["GET", "key"]).unwrap(), 1);
    sentinel.nodes()[1].catch_up_with(first).unwrap();
    first.kill().unwrap();
    sentinel.wait_until_ok().unwrap();
    let second = sentinel.primary().unwrap();
    assert_eq!(second.port(), sentinel.nodes()[1].port());
    let value: i32 = redis::cmd("INCR")
        .arg("key")
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    assert_eq!(value, 2);
}

#[test]
fn three_sentinels_agree() {
    let node = RedisDaemon::builder().password("p@ss \"w #");
    let sentinel = RedisSentinel::builder()
        .node(node)
        .replicas(2)
        .sentinels(3)
        .service_name("orders")
        .down_after(DOWN_AFTER)
        .start();
    let sentinel = sentinel.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!((sentinel.urls().len(), sentinel.nodes().len()), (3, 3));
    sentinel.primary().unwrap().pause().unwrap();
    sentinel.sentinels()[0].kill().unwrap();
    sentinel.wait_until_ok().unwrap();
    assert_ne!(sentinel.primary().unwrap().port(), sentinel.nodes()[0].port());
    let connection = client(&sentinel).get_connection();
    let _: () = redis::cmd("SET")
        .arg("key")
        .arg(1)
        .query(&mut connection.unwrap())
        .unwrap();
}

#[test]
fn servers_with_an_account_of_their_own_are_watched_with_that() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("redis.conf");
    fs::write(&file, "user default off\nuser app on >s3cret ~* &* +@all\n").unwrap();
    let node = RedisDaemon::builder().config_file(&file);
    let sentinel = RedisSentinel::builder().node(node).down_after(DOWN_AFTER).start();
    let sentinel = sentinel.unwrap_or_else(|error| panic!("{}", error.report()));
    let first = sentinel.primary().unwrap();
    assert!(first.url().starts_with("redis://app:s3cret@"), "{}", first.url());
    assert!(
        sentinel.urls()[0].starts_with("redis://:s3cret@"),
        "{:?}",
        sentinel.urls()
    );
    let login = RedisConnectionInfo::default()
        .set_username("app")
        .set_password("s3cret");
    let login = SentinelNodeConnectionInfo::default().set_redis_connection_info(login);
    let name = sentinel.service_name().to_owned();
    let mut client = SentinelClient::build(sentinel.urls(), name, Some(login), SentinelServerType::Master).unwrap();
    let _: () = redis::cmd("SET")
        .arg("key")
        .arg(1)
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    sentinel.nodes()[1].catch_up_with(first).unwrap();
    first.kill().unwrap();
    sentinel.wait_until_ok().unwrap();
    let value: i32 = redis::cmd("INCR")
        .arg("key")
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    assert_eq!(value, 2);
    // The first primary comes back, and follows the second with the account.
    first.start_if_not_running().unwrap();
    let second = sentinel.primary().unwrap();
    eventually("a replica", || first.catch_up_with(second));
}

#[test]
fn what_sentinel_can_not_do_is_refused() {
    let builder = RedisSentinel::builder;
    for (result, named) in [
        (builder().sentinels(0).start(), "`sentinels`"),
        (builder().replicas(0).start(), "`replicas`"),
        (builder().quorum(2).start(), "`quorum`"),
        (builder().service_name("two words").start(), "`service_name`"),
        (builder().down_after(Duration::ZERO).start(), "`down_after`"),
        (builder().failover_timeout(Duration::MAX).start(), "`failover_timeout`"),
    ] {
        let report = start_failure(result);
        assert!(
            report.contains("redis did not start") && report.contains(named),
            "{report}"
        );
    }
}

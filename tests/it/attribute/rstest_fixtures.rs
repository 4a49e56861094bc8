//! rstest fixtures: the framework's and a user's own.

use managed_daemons::rstest::{
    redis_cluster, redis_daemon, redis_sentinel, shared_redis_cluster, shared_redis_daemon, shared_redis_sentinel,
};
use managed_daemons::{RedisCluster, RedisDaemon, RedisSentinel};
use rstest::{fixture, rstest};

use crate::support::{config, connect, get, set};

#[fixture]
fn small_redis(#[default("8mb")] memory: &str) -> RedisDaemon {
    RedisDaemon::builder().setting("maxmemory", memory).start().unwrap()
}

#[rstest]
#[case("a")]
#[case("b")]
fn each_case_has_a_daemon_of_its_own(redis_daemon: RedisDaemon, #[case] value: &str) {
    assert_eq!(get(&redis_daemon, "key").unwrap(), None);
    set(&redis_daemon, "key", value).unwrap();
    assert_eq!(get(&redis_daemon, "key").unwrap().as_deref(), Some(value));
}

#[rstest]
fn all_cases_share_one_daemon(shared_redis_daemon: &RedisDaemon, #[values(1, 2)] by: i64) {
    let one: i64 = redis::cmd("INCRBY")
        .arg("sum")
        .arg(by)
        .query(&mut connect(shared_redis_daemon).unwrap())
        .unwrap();
    assert!(one >= by);
    assert!(std::ptr::eq(
        shared_redis_daemon,
        managed_daemons::rstest::shared_redis_daemon::get()
    ));
}

#[rstest]
fn groups_have_fixtures_too(redis_cluster: RedisCluster, redis_sentinel: RedisSentinel) {
    assert_eq!(redis_cluster.nodes().len(), 3);
    let primary = redis_sentinel.primary().unwrap();
    assert_eq!(primary.port(), redis_sentinel.nodes()[0].port());
}

#[rstest]
fn groups_are_shared(shared_redis_cluster: &RedisCluster, shared_redis_sentinel: &RedisSentinel) {
    shared_redis_cluster.wait_until_ok().unwrap();
    shared_redis_sentinel.wait_until_ok().unwrap();
    assert!(std::ptr::eq(
        shared_redis_cluster,
        managed_daemons::rstest::shared_redis_cluster::get()
    ));
}

#[rstest]
fn a_users_own_fixture(small_redis: RedisDaemon) {
    assert_eq!(config(&small_redis, "maxmemory"), (8 << 20).to_string());
}

#[rstest]
fn a_users_own_fixture_with_an_argument(#[with("16mb")] small_redis: RedisDaemon) {
    assert_eq!(config(&small_redis, "maxmemory"), (16 << 20).to_string());
}

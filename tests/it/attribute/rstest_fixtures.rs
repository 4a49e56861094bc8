//! rstest's fixtures: ours, and a user's own.

use managed_daemons::fixtures::{redis_daemon, shared_redis_daemon};
use managed_daemons::RedisDaemon;
use rstest::{fixture, rstest};

use crate::support::{connect, get, set};

#[fixture]
fn small_redis(#[default("8mb")] memory: &str) -> RedisDaemon {
    RedisDaemon::builder().directive("maxmemory", memory).start().unwrap()
}

fn limit(daemon: &RedisDaemon) -> i64 {
    let answer: (String, i64) = redis::cmd("CONFIG")
        .arg("GET")
        .arg("maxmemory")
        .query(&mut connect(daemon).unwrap())
        .unwrap();
    answer.1
}

#[rstest]
#[case("a")]
#[case("b")]
fn each_case_has_its_own(redis_daemon: RedisDaemon, #[case] value: &str) {
    assert_eq!(get(&redis_daemon, "key").unwrap(), None);
    set(&redis_daemon, "key", value).unwrap();
    assert_eq!(get(&redis_daemon, "key").unwrap().as_deref(), Some(value));
}

#[rstest]
fn all_share_one(shared_redis_daemon: &RedisDaemon, #[values(1, 2)] by: i64) {
    let one: i64 = redis::cmd("INCRBY")
        .arg("sum")
        .arg(by)
        .query(&mut connect(shared_redis_daemon).unwrap())
        .unwrap();
    assert!(one >= by);
    assert!(std::ptr::eq(
        shared_redis_daemon,
        managed_daemons::fixtures::shared_redis_daemon::get()
    ));
}

#[rstest]
fn a_users_own_fixture(small_redis: RedisDaemon) {
    assert_eq!(limit(&small_redis), 8 * 1024 * 1024);
}

#[rstest]
fn a_users_own_fixture_with_an_argument(#[with("16mb")] small_redis: RedisDaemon) {
    assert_eq!(limit(&small_redis), 16 * 1024 * 1024);
}

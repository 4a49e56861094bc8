//! Each attribute fills one parameter, and each parameter is filled.

use managed_daemons::{with_daemon, with_redis, ManagedDaemon, Redis, RedisDaemon};

type Cache = RedisDaemon;
type MyDaemon = ManagedDaemon<Redis>;

#[with_redis]
#[test]
fn no_parameter() {}

#[with_redis]
#[test]
fn alias(cache: &Cache) {
    assert!(cache.is_running());
}

#[with_redis]
#[with_redis(without_password)]
#[test]
fn claimed_twice(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_redis(arg = redis)]
#[with_redis(arg = redis)]
#[test]
fn claimed_twice_by_name(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_redis(arg = rdis)]
#[with_redis(arg = wrong_name)]
#[test]
fn no_such_name(redis: RedisDaemon, other: RedisDaemon) {
    assert!(redis.is_running() && other.is_running());
}

#[with_redis(arg = redis)]
#[rstest::rstest]
fn filled_by_another(#[values(1)] redis: u8) {
    assert!(redis > 0);
}

#[with_redis(arg = number)]
#[test]
fn of_another_type(number: u8) {
    assert!(number > 0);
}

#[with_redis]
#[with_daemon(MyDaemon)]
#[tokio::test]
async fn left_over(redis: &RedisDaemon, mine: MyDaemon, (second, third): (RedisDaemon, u8), fourth: &mut RedisDaemon) {
    assert!(redis.is_running() && mine.is_running());
}

#[with_redis]
#[test]
fn conditional(#[cfg(unix)] redis: RedisDaemon) {
    assert!(redis.is_running());
}

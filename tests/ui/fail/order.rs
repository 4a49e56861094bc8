//! The test attribute has to come after ours.

use managed_daemons::{with_redis, RedisDaemon};

#[test]
#[with_redis]
fn below_test(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[rstest::rstest]
#[case(1)]
#[with_redis]
fn below_rstest(#[case] number: u8, redis: RedisDaemon) {
    assert!(redis.is_running() && number > 0);
}

#[with_redis]
fn no_test(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_redis(port = 4000)]
#[ignore]
async fn no_async_test(redis: RedisDaemon) {
    assert!(redis.is_running());
}

//! What may stand in the parentheses, and what the attribute may stand on.

use managed_daemons::{with_daemon, with_redis, RedisDaemon};

#[with_redis(password "s3cret", "6379", port =, arg = 5, arg(redis), crate, without_password)]
#[test]
fn malformed(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_daemon]
#[with_daemon(port = 6379)]
#[with_redis = "s3cret"]
#[test]
fn no_type(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_redis]
mod not_a_function {}

trait NoBody {
    #[with_redis]
    fn no_body(redis: super::RedisDaemon);
}

struct Suite;

impl Suite {
    #[with_redis]
    fn method(&self, redis: RedisDaemon) {
        assert!(redis.is_running());
    }
}

//! An option is a method of the builder.

use managed_daemons::{with_daemon, with_redis, RedisDaemon};

#[with_redis(pasword = "s3cret")]
#[test]
fn misspelt(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_redis(port = "6379")]
#[test]
fn of_the_wrong_type(redis: RedisDaemon) {
    assert!(redis.is_running());
}

#[with_redis(without_password, setting = "maxmemory 8mb")]
#[test]
fn of_the_wrong_number(redis: RedisDaemon) {
    assert!(redis.is_running());
}

struct Stranger(bool);

#[with_daemon(Stranger)]
#[test]
fn not_a_daemon(stranger: Stranger) {
    assert!(stranger.0);
}

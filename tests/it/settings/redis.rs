use managed_daemons::{ManagedDaemon, RedisDaemon};

use super::bare::{Arguments, Bare};
use super::{assert_documented, differing, Settings};

const TABLE: &str = include_str!("../../../fixtures/src/daemons/redis/settings.md");

#[derive(Debug, Default)]
struct Redis;

impl Arguments for Redis {
    const DAEMON: &'static str = "redis";
    const ADDRESS: &'static str = "--bind";
    const PORT: &'static str = "--port";
}

fn settings(url: &str) -> Settings {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    redis::cmd("CONFIG").arg(&["GET", "*"]).query(&mut connection).unwrap()
}

#[test]
fn the_table_of_redis_is_true() {
    let ours = RedisDaemon::start().unwrap();
    let ours = settings(&ours.url());
    let bare = ManagedDaemon::<Bare<Redis>>::start().unwrap();
    let bare = settings(&format!("redis://127.0.0.1:{}/", bare.port()));
    assert_documented(TABLE, &differing(&ours, &bare), |name| ours.get(name).cloned());
}

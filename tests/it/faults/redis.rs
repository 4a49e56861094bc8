//! The connection manager of the crate `redis`, which connects again by itself.

use std::time::{Duration, Instant};

use managed_daemons::{with_redis, Proxy, RedisDaemon};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::RedisError;

use crate::support::PATIENCE;

/// How long it waits for an answer that does not come.
const TIMEOUT: Duration = Duration::from_secs(2);

async fn connect(proxy: &Proxy) -> ConnectionManager {
    let mut manager = connect_with(proxy, TIMEOUT).await;
    recovers(&mut manager).await;
    manager
}

/// One that waits so long for an answer.
async fn connect_with(proxy: &Proxy, timeout: Duration) -> ConnectionManager {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(timeout));
    let client = redis::Client::open(proxy.url()).unwrap();
    ConnectionManager::new_with_config(client, config).await.unwrap()
}

async fn count(manager: &mut ConnectionManager) -> Result<u64, RedisError> {
    redis::cmd("INCR").arg("hits").query_async(manager).await
}

/// Fails if the manager never works, or never again.
async fn recovers(manager: &mut ConnectionManager) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = count(manager).await {
        assert!(Instant::now() < deadline, "never recovered: {error}");
    }
}

#[with_redis]
#[tokio::test]
async fn it_suffers_from_a_cut_and_from_a_reset(redis: RedisDaemon) {
    let proxy = redis.proxy().unwrap();
    let mut manager = connect(&proxy).await;
    for end in [Proxy::cut, Proxy::reset] {
        end(&proxy);
        let error = count(&mut manager).await.unwrap_err();
        assert!(error.is_connection_dropped() || error.is_io_error(), "{error:?}");
        recovers(&mut manager).await;
    }
}

#[with_redis]
#[tokio::test]
async fn it_suffers_while_connections_are_refused(redis: RedisDaemon) {
    let proxy = redis.proxy().unwrap();
    let mut manager = connect(&proxy).await;
    proxy.refuse().cut();
    for _ in 0..3 {
        let error = count(&mut manager).await.unwrap_err();
        assert!(error.is_io_error() || error.is_connection_dropped(), "{error:?}");
    }
    proxy.clear();
    recovers(&mut manager).await;
}

#[with_redis]
#[tokio::test]
async fn it_suffers_from_a_black_hole(redis: RedisDaemon) {
    let proxy = redis.proxy().unwrap();
    let mut manager = connect(&proxy).await;
    proxy.black_hole();
    let error = count(&mut manager).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    proxy.clear();
    recovers(&mut manager).await;
}

#[with_redis]
#[tokio::test]
async fn it_suffers_from_latency(redis: RedisDaemon) {
    let proxy = redis.proxy().unwrap();
    let mut patient = connect_with(&proxy, PATIENCE).await;
    let latency = Duration::from_millis(20);
    let start = Instant::now();
    proxy.downstream().latency(latency);
    count(&mut patient).await.unwrap();
    assert!(start.elapsed() >= latency);
    proxy.clear();
    let mut manager = connect(&proxy).await;
    proxy.latency(TIMEOUT);
    let error = count(&mut manager).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    proxy.clear();
    recovers(&mut manager).await;
}

#[with_redis]
#[tokio::test]
async fn it_suffers_from_an_answer_that_breaks_off(redis: RedisDaemon) {
    let proxy = redis.proxy().unwrap();
    let mut manager = connect(&proxy).await;
    // Of `:2\r\n`. Redis has counted.
    proxy.downstream().after(2).cut();
    count(&mut manager).await.unwrap_err();
    proxy.clear();
    recovers(&mut manager).await;
    assert!(count(&mut manager).await.unwrap() >= 4);
}

#[with_redis]
#[tokio::test]
async fn it_suffers_from_guards(redis: RedisDaemon) {
    let proxy = redis.proxy().unwrap();
    let mut manager = connect(&proxy).await;
    {
        let _down = redis.paused().unwrap();
        assert!(count(&mut manager).await.unwrap_err().is_timeout());
    }
    recovers(&mut manager).await;
    {
        let _down = redis.stopped().unwrap();
        count(&mut manager).await.unwrap_err();
    }
    recovers(&mut manager).await;
}

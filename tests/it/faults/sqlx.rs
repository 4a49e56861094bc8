//! The connection pool of sqlx.

use std::time::{Duration, Instant};

use managed_daemons::{with_postgres, PostgresDaemon, Proxy};
use sqlx::postgres::PgPoolOptions;
use sqlx::PgPool;

use crate::support::PATIENCE;

/// How long the pool waits for a connection that does not work.
const TIMEOUT: Duration = Duration::from_secs(3);

async fn connect(proxy: &Proxy) -> PgPool {
    connect_to(&proxy.url(), TIMEOUT).await
}

/// A pool that waits so long for a connection.
async fn connect_to(url: &str, timeout: Duration) -> PgPool {
    let options = PgPoolOptions::new().max_connections(2).acquire_timeout(timeout);
    let pool = options.connect_lazy(url).unwrap();
    recovers(&pool).await;
    pool
}

async fn ask(pool: &PgPool) -> sqlx::Result<i32> {
    sqlx::query_scalar("SELECT 42").fetch_one(pool).await
}

/// Fails if the pool never works, or never again.
async fn recovers(pool: &PgPool) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = ask(pool).await {
        assert!(Instant::now() < deadline, "never recovered: {error}");
    }
}

#[with_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_runs_fails_when_its_connection_ends(postgres: PostgresDaemon) {
    let proxy = postgres.proxy().unwrap();
    let pool = connect(&proxy).await;
    for end in [Proxy::cut, Proxy::reset] {
        let running = tokio::spawn({
            let pool = pool.clone();
            async move { sqlx::query("SELECT pg_sleep(3600)").execute(&pool).await }
        });
        let count = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)' AND state = 'active'";
        let deadline = Instant::now() + PATIENCE;
        while postgres.query(count).unwrap()[0][0].as_deref() != Some("1") {
            assert!(Instant::now() < deadline, "it never ran");
        }
        end(&proxy);
        let error = running.await.unwrap().unwrap_err();
        assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
        recovers(&pool).await;
        postgres
            .query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
            .unwrap();
    }
}

#[with_postgres]
#[tokio::test]
async fn no_connection_is_to_be_had_while_they_are_refused(postgres: PostgresDaemon) {
    let proxy = postgres.proxy().unwrap();
    let pool = connect(&proxy).await;
    proxy.refuse().reset();
    let error = ask(&pool).await.unwrap_err();
    assert!(
        matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut),
        "{error:?}"
    );
    proxy.clear();
    recovers(&pool).await;
}

#[with_postgres]
#[tokio::test]
async fn a_black_hole_takes_the_pools_patience(postgres: PostgresDaemon) {
    let proxy = postgres.proxy().unwrap();
    let pool = connect(&proxy).await;
    proxy.black_hole();
    let start = Instant::now();
    let error = ask(&pool).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::PoolTimedOut), "{error:?}");
    assert!(start.elapsed() >= TIMEOUT);
    proxy.clear();
    recovers(&pool).await;
}

#[with_postgres]
#[tokio::test]
async fn a_slow_line_delays_every_round_trip(postgres: PostgresDaemon) {
    let proxy = postgres.proxy().unwrap();
    let pool = connect_to(&proxy.url(), PATIENCE).await;
    proxy.latency(Duration::from_millis(20));
    let start = Instant::now();
    ask(&pool).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(40));
    proxy.clear();
    recovers(&pool).await;
}

#[with_postgres]
#[tokio::test]
async fn the_pool_survives_guards(postgres: PostgresDaemon) {
    let pool = connect_to(&postgres.url(), TIMEOUT).await;
    {
        let _down = postgres.paused().unwrap();
        assert!(matches!(ask(&pool).await, Err(sqlx::Error::PoolTimedOut)));
    }
    recovers(&pool).await;
    {
        let _down = postgres.killed().unwrap();
        ask(&pool).await.unwrap_err();
    }
    recovers(&pool).await;
}

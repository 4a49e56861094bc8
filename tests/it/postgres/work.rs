//! Real work: transactions, constraints, notifications, bulk loads and connection pools.

use sqlx::postgres::PgPoolCopyExt;
use sqlx::{PgPool, Row};
use tokio_postgres::error::SqlState;

use super::{builder, connect, runtime, start};
use crate::support::PATIENCE;

#[test]
fn transactions_and_constraints_work() {
    let daemon = start(builder().init_sql(
        "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0)); \
         INSERT INTO account VALUES (1, 100), (2, 0)",
    ));
    runtime().block_on(async {
        let mut client = connect(&daemon.url()).await.unwrap();
        let other = connect(&daemon.unix_socket_url()).await.unwrap();
        let balance = |id: i32| {
            let other = &other;
            async move {
                let row = other
                    .query_one("SELECT balance FROM account WHERE id = $1", &[&id])
                    .await;
                row.unwrap().get::<_, i32>(0)
            }
        };
        let transfer = client.transaction().await.unwrap();
        transfer
            .execute("UPDATE account SET balance = balance - 60 WHERE id = 1", &[])
            .await
            .unwrap();
        assert_eq!(balance(1).await, 100, "not committed yet");
        transfer
            .execute("UPDATE account SET balance = balance + 60 WHERE id = 2", &[])
            .await
            .unwrap();
        transfer.commit().await.unwrap();
        assert_eq!((balance(1).await, balance(2).await), (40, 60));

        let transfer = client.transaction().await.unwrap();
        transfer
            .execute("UPDATE account SET balance = balance + 60 WHERE id = 2", &[])
            .await
            .unwrap();
        let error = transfer
            .execute("UPDATE account SET balance = balance - 60 WHERE id = 1", &[])
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION));
        drop(transfer);
        assert_eq!((balance(1).await, balance(2).await), (40, 60));

        let error = client
            .execute("INSERT INTO account VALUES (1, 1)", &[])
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
    });
}

#[test]
fn conflicting_serializable_transactions_fail() {
    let daemon =
        start(builder().init_sql("CREATE TABLE seat (id int, taken bool); INSERT INTO seat VALUES (1, false)"));
    runtime().block_on(async {
        let (mut one, mut two) = (
            connect(&daemon.url()).await.unwrap(),
            connect(&daemon.url()).await.unwrap(),
        );
        let level = tokio_postgres::IsolationLevel::Serializable;
        let first = one.build_transaction().isolation_level(level).start().await.unwrap();
        let second = two.build_transaction().isolation_level(level).start().await.unwrap();
        for transaction in [&first, &second] {
            let row = transaction
                .query_one("SELECT taken FROM seat WHERE id = 1", &[])
                .await
                .unwrap();
            assert!(!row.get::<_, bool>(0));
        }
        first
            .execute("UPDATE seat SET taken = true WHERE id = 1", &[])
            .await
            .unwrap();
        first.commit().await.unwrap();
        let error = second
            .execute("UPDATE seat SET taken = true WHERE id = 1", &[])
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
    });
}

#[test]
fn notifications_reach_listeners() {
    let daemon = start(builder());
    runtime().block_on(async {
        let mut listener = sqlx::postgres::PgListener::connect(&daemon.url()).await.unwrap();
        listener.listen("orders").await.unwrap();
        let pool = PgPool::connect(&daemon.unix_socket_url()).await.unwrap();
        sqlx::query("SELECT pg_notify('orders', 'number 7')")
            .execute(&pool)
            .await
            .unwrap();
        let heard = tokio::time::timeout(PATIENCE, listener.recv()).await.unwrap().unwrap();
        assert_eq!((heard.channel(), heard.payload()), ("orders", "number 7"));
        pool.close().await;
    });
}

#[test]
fn a_bulk_load_and_a_pool_of_many_connections_work() {
    let daemon = start(builder().init_sql("CREATE TABLE line (n int, text text)"));
    runtime().block_on(async {
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(20)
            .connect(&daemon.url())
            .await
            .unwrap();
        let mut copy = pool.copy_in_raw("COPY line FROM STDIN").await.unwrap();
        let lines: String = (0..10_000).map(|n| format!("{n}\tline {n}\n")).collect();
        copy.send(lines.into_bytes()).await.unwrap();
        assert_eq!(copy.finish().await.unwrap(), 10_000);
        let sums = (0..20).map(|part| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let row = sqlx::query("SELECT sum(n) FROM line WHERE n % 20 = $1")
                    .bind(part)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
                row.get::<i64, _>(0)
            })
        });
        let mut total = 0;
        for sum in sums.collect::<Vec<_>>() {
            total += sum.await.unwrap();
        }
        assert_eq!(total, 49_995_000);
        pool.close().await;
    });
}

#[test]
fn a_pool_recovers_from_a_restart() {
    let daemon = start(builder());
    runtime().block_on(async {
        let pool = PgPool::connect(&daemon.url()).await.unwrap();
        sqlx::query("CREATE TABLE t ()").execute(&pool).await.unwrap();
        daemon.restart().unwrap();
        sqlx::query("SELECT * FROM t").fetch_all(&pool).await.unwrap();
        pool.close().await;
    });
}

#[test]
fn large_queries_run_in_parallel_and_large_sorts_on_disk() {
    let daemon = start(builder().setting("work_mem", "64kB"));
    daemon
        .query("CREATE TABLE big AS SELECT n, md5(n::text) AS text FROM generate_series(1, 200000) n")
        .unwrap();
    daemon.query("ANALYZE big").unwrap();
    let explain = |query: &str| -> Vec<String> {
        let cheap = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0";
        let sql = format!("{cheap}; EXPLAIN (ANALYZE, COSTS off, TIMING off) {query}");
        daemon.query(&sql).unwrap().into_iter().flatten().flatten().collect()
    };
    let plan = explain("SELECT count(*) FROM big WHERE text LIKE '%a'");
    assert!(
        plan.iter().any(|line| line.contains("Workers Launched: 2")),
        "{plan:#?}"
    );
    let plan = explain("SELECT text FROM big ORDER BY text");
    assert!(plan.iter().any(|line| line.contains("Disk:")), "{plan:#?}");
}

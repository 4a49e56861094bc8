//! What tests begin with.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use managed_daemons::{PostgresDatabase, RabbitMqVirtualHost};
use sqlx::Connection;

#[test]
fn tests_with_other_contents_get_theirs_from_the_same_server() {
    let one = |database: &PostgresDatabase| database.query("CREATE TABLE one ()").map(drop);
    let two = |database: &PostgresDatabase| database.query("CREATE TABLE two ()").map(drop);
    let start = PostgresDatabase::builder;
    let (one, two, none) = (
        start().prepare(one).start(),
        start().prepare(two).start(),
        start().start(),
    );
    let (one, two, none) = (one.unwrap(), two.unwrap(), none.unwrap());
    let tables = |database: &PostgresDatabase| {
        let sql = "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'";
        database.query(sql).unwrap().remove(0).remove(0)
    };
    assert_eq!(tables(&one).as_deref(), Some("one"));
    assert_eq!(tables(&two).as_deref(), Some("two"));
    assert_eq!(tables(&none), None);
    assert_eq!(one.port(), two.port());
}

#[test]
fn a_function_runs_once_however_many_wait_for_it() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    fn prepare(database: &PostgresDatabase) {
        RUNS.fetch_add(1, Ordering::SeqCst);
        database
            .query("CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n")
            .unwrap();
    }
    let threads: Vec<_> = (0..8)
        .map(|_| thread::spawn(|| PostgresDatabase::builder().prepare(prepare).start().unwrap()))
        .collect();
    for thread in threads {
        let database = thread.join().unwrap();
        let rows = database.query("DELETE FROM numbers RETURNING n").unwrap();
        assert_eq!(rows.len(), 1000);
    }
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
}

#[test]
fn what_fails_in_a_function_fails_each_test_with_the_same_message() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    fn fail(database: &PostgresDatabase) -> managed_daemons::Result<()> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        database.query("SELECT no_such_column").map(drop)
    }
    fn panic(_: &PostgresDatabase) {
        RUNS.fetch_add(1, Ordering::SeqCst);
        panic!("no {}", "luck");
    }
    let start = PostgresDatabase::builder;
    let failed = [0; 3].map(|_| start().prepare(fail).start().unwrap_err().report());
    assert!(
        failed[0].contains("the contents of the database by `") && failed[0].contains("::fail`"),
        "{failed:?}"
    );
    assert!(
        failed[0].contains("column \"no_such_column\" does not exist"),
        "{failed:?}"
    );
    assert!(failed.iter().all(|other| *other == failed[0]), "{failed:?}");
    let panicked = [0; 2].map(|_| start().prepare(panic).start().unwrap_err().report());
    assert!(panicked[0].contains("panicked: no luck"), "{panicked:?}");
    assert_eq!(panicked[0], panicked[1]);
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
}

#[test]
fn an_error_of_a_function_is_shown_with_its_causes() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let of_type = |_: &PostgresDatabase| Err(Outer(std::io::Error::other("inner")));
    let boxed = |_: &PostgresDatabase| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err(Outer(std::io::Error::other("inner")).into())
    };
    let text = |_: &PostgresDatabase| Err(String::from("outer: inner"));
    let start = PostgresDatabase::builder;
    let failed = [
        start().prepare(of_type).start(),
        start().prepare(boxed).start(),
        start().prepare(text).start(),
    ];
    for failed in failed {
        let report = failed.unwrap_err().report();
        assert!(report.ends_with(": outer: inner"), "{report}");
    }
}

#[test]
fn a_panic_for_want_of_a_runtime_says_where_one_would_be() {
    async fn connect(database: &PostgresDatabase) -> sqlx::Result<()> {
        sqlx::PgPool::connect(&database.url()).await.map(drop)
    }
    let failed = PostgresDatabase::builder().prepare(connect).start().unwrap_err();
    assert!(failed.report().contains("make it an async test"), "{}", failed.report());
}

#[test]
fn init_files_are_told_apart_by_their_content() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, sql: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, sql).unwrap();
        path
    };
    let (one, same) = (
        file("one.sql", "CREATE TABLE a ()"),
        file("same.sql", "CREATE TABLE a ()"),
    );
    let other = file("other.sql", "CREATE TABLE b ()");
    let start = |path| PostgresDatabase::builder().init_file(path).start().unwrap();
    let (one, same, other) = (start(one), start(same), start(other));
    assert_eq!(one.port(), same.port());
    assert_ne!(one.port(), other.port());
    one.query("SELECT FROM a").unwrap();
    same.query("SELECT FROM a").unwrap();
    other.query("SELECT FROM b").unwrap();
}

#[test]
fn what_tests_begin_with_may_be_long() {
    let sql = format!("CREATE TABLE a (); -- {}", "x".repeat(5_000_000));
    let start = || PostgresDatabase::builder().init_sql(&*sql).start().unwrap();
    let (one, other) = (start(), start());
    assert_eq!(one.port(), other.port());
    one.query("SELECT FROM a").unwrap();

    let definitions = format!(r#"{{"queues": [], "note": "{}"}}"#, "x".repeat(5_000_000));
    let start = |definitions: &str| RabbitMqVirtualHost::builder().definitions(definitions).start().unwrap();
    let (one, other) = (start(&definitions), start(&definitions));
    assert_eq!(one.port(), other.port());
    assert_ne!(start(&definitions.replace("xxx", "xx")).port(), one.port());
}

#[test]
fn an_async_function_without_a_runtime_of_its_own_is_run_to_its_end() {
    async fn prepare(database: &PostgresDatabase) -> managed_daemons::Result<()> {
        let mut waited = false;
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            match std::mem::replace(&mut waited, true) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        database.query("CREATE TABLE a ()").map(drop)
    }
    let database = PostgresDatabase::builder().prepare(prepare).start().unwrap();
    database.query("SELECT FROM a").unwrap();
}

/// Two at once in one thread, which neither may block.
#[tokio::test]
async fn several_can_be_awaited_together() {
    async fn prepare(database: &PostgresDatabase) -> sqlx::Result<()> {
        let mut connection = sqlx::PgConnection::connect(&database.url()).await?;
        sqlx::raw_sql("CREATE TABLE a ()")
            .execute(&mut connection)
            .await
            .map(drop)
    }
    let start = || PostgresDatabase::builder().prepare(prepare).start_async();
    let (one, two) = tokio::join!(start(), start());
    one.unwrap().query("SELECT FROM a").unwrap();
    two.unwrap().query("SELECT FROM a").unwrap();
}

#[tokio::test]
async fn a_function_that_waits_for_a_runtime_that_is_blocked_is_told_so() {
    async fn prepare(database: &PostgresDatabase) -> sqlx::Result<()> {
        sqlx::PgConnection::connect(&database.url()).await.map(drop)
    }
    // Not `start_async`, although there is a runtime.
    let error = PostgresDatabase::builder()
        .prepare(prepare)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("call `start_async` instead of `start`"), "{error}");
}

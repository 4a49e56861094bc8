//! What is one test's is nobody else's.

use std::time::Duration;

use managed_daemons::{MySqlDatabase, PostgresDatabase, RabbitMqVirtualHost};
use sqlx::{Connection, Executor, MySqlConnection};

use crate::support::{eventually, Run};

#[test]
fn a_postgres_role_reaches_no_other_database() {
    let (own, other) = (PostgresDatabase::start().unwrap(), PostgresDatabase::start().unwrap());
    let drop = format!("DROP DATABASE \"{}\"", other.database());
    let error = own.query(&drop).unwrap_err().to_string();
    assert!(error.contains("must be owner of database"), "{error}");
    let error = own
        .query(&format!("DROP ROLE \"{}\"", other.username()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("permission denied"), "{error}");
    let connect = |database: &str| {
        let own = own.url();
        let (server, _) = own.rsplit_once('/').unwrap();
        let url = format!("{server}/{database}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(sqlx::PgConnection::connect(&url)).map(std::mem::drop)
    };
    connect(own.database()).unwrap();
    for database in [other.database(), "postgres", "template1"] {
        let error = connect(database).unwrap_err().to_string();
        // The second is what others begin with, and closed to all.
        let refused = [
            "permission denied for database",
            "is not currently accepting connections",
        ];
        assert!(
            refused.iter().any(|refused| error.contains(refused)),
            "{database}: {error}"
        );
    }
}

#[tokio::test]
async fn a_mysql_user_reaches_no_other_database() {
    let (own, other) = (MySqlDatabase::start().unwrap(), MySqlDatabase::start().unwrap());
    let mut connection = MySqlConnection::connect(&own.url()).await.unwrap();
    for sql in ["DROP DATABASE", "USE"] {
        let error = connection
            .execute(&*format!("{sql} {}", other.database()))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("denied"), "{error}");
    }
    connection.execute("CREATE TABLE a (id int)").await.unwrap();
}

#[tokio::test]
async fn a_rabbitmq_user_reaches_no_other_virtual_host() {
    let (own, other) = (
        RabbitMqVirtualHost::start().unwrap(),
        RabbitMqVirtualHost::start().unwrap(),
    );
    let url = own.url();
    let (server, _) = url.rsplit_once('/').unwrap();
    lapin::Connection::connect(&url, Default::default()).await.unwrap();
    for virtual_host in [other.virtual_host(), "%2F"] {
        let url = format!("{server}/{virtual_host}");
        let error = lapin::Connection::connect(&url, Default::default())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("NOT-ALLOWED") || error.contains("NOT_ALLOWED"),
            "{error}"
        );
    }
}

#[test]
fn a_postgres_database_is_gone_even_if_its_test_still_has_connections() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let database = PostgresDatabase::start().unwrap();
    let (name, url) = (database.database().to_owned(), database.url());
    let pool = runtime.block_on(sqlx::PgPool::connect(&url)).unwrap();
    let witness = PostgresDatabase::start().unwrap();
    let count = || {
        let sql = format!(
            "SELECT (SELECT count(*) FROM pg_database WHERE datname = '{name}') + \
             (SELECT count(*) FROM pg_roles WHERE rolname = '{name}')"
        );
        witness.query(&sql).unwrap().remove(0).remove(0).unwrap()
    };
    assert_eq!(count(), "2");
    database.close().unwrap();
    assert_eq!(count(), "0");
    runtime.block_on(async {
        assert!(sqlx::query("SELECT 1").execute(&pool).await.is_err());
    });
    // A dropped one goes when there is time.
    let database = PostgresDatabase::start().unwrap();
    let name = database.database().to_owned();
    drop(database);
    let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    eventually("was gone", || match witness.query(&sql).unwrap() {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
}

#[test]
fn who_has_started_the_server_gives_a_database_back_as_all_others_do() {
    let mut run = Run::new();
    let mut first = run.start("drop");
    let name = first.line();
    let mut witness = run.start(&format!("exists {name}"));
    assert_eq!(witness.line(), "1");
    first.go_on();
    assert_eq!(first.line(), "dropped");
    eventually("was gone", || {
        witness.go_on();
        match witness.line().as_str() {
            "0" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    // It is still there itself.
    assert_eq!(first.printed(), None);
    first.end();
    witness.kill();
    run.end();
    run.assert_nothing_left();
}

#[tokio::test]
async fn a_mysql_database_is_gone_even_if_its_test_still_has_connections() {
    let database = MySqlDatabase::start().unwrap();
    let url = database.url();
    let mut connection = MySqlConnection::connect(&url).await.unwrap();
    connection.execute("CREATE TABLE a (id int)").await.unwrap();
    connection.execute("START TRANSACTION").await.unwrap();
    connection.execute("INSERT INTO a VALUES (1)").await.unwrap();
    database.close().unwrap();
    assert!(connection.execute("SELECT 1").await.is_err());
    let error = MySqlConnection::connect(&url).await.unwrap_err().to_string();
    assert!(error.contains("denied"), "{error}");
}

#[tokio::test]
async fn a_virtual_host_is_gone_even_if_its_test_still_has_connections() {
    let host = RabbitMqVirtualHost::start().unwrap();
    let url = host.url();
    let connection = lapin::Connection::connect(&url, Default::default()).await.unwrap();
    host.close().unwrap();
    assert!(lapin::Connection::connect(&url, Default::default()).await.is_err());
    let closed = async {
        while connection.status().connected() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), closed).await.unwrap();
}

/// What suites on one server run out of.
#[test]
fn sixteen_tests_have_25_connections_each() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let databases: Vec<_> = (0..16)
            .map(|_| (PostgresDatabase::start().unwrap(), MySqlDatabase::start().unwrap()))
            .collect();
        let mut postgres = Vec::new();
        let mut mysql = Vec::new();
        for (of_postgres, of_mysql) in &databases {
            for _ in 0..25 {
                postgres.push(sqlx::PgConnection::connect(&of_postgres.url()).await.unwrap());
                mysql.push(MySqlConnection::connect(&of_mysql.url()).await.unwrap());
            }
        }
        assert_eq!((postgres.len(), mysql.len()), (400, 400));
    });
}

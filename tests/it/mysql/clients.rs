//! Real work, through the clients that people use.

use managed_daemons::MySqlBuilder;
use mysql_async::prelude::Queryable;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{Connection, MySqlConnection, Row};

use super::{block_on, on_both_servers};

on_both_servers!(
    transactions_and_constraints_work,
    a_pool_of_many_connections_works,
    the_tcp_url_works_with_mysql_async,
    values_of_many_types_survive_the_way_over_the_socket,
);

/// The server's number for an error.
fn number(error: &sqlx::Error) -> u16 {
    let error = error.as_database_error().unwrap();
    error.downcast_ref::<sqlx::mysql::MySqlDatabaseError>().number()
}

/// A row with a value of each type.
type Kinds = (u64, f64, Vec<u8>, String, bool, Option<Vec<u8>>);

fn transactions_and_constraints_work(server: fn() -> MySqlBuilder) {
    let daemon = server()
        .username("app").password("pass")
        .init_sql(
            "CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(100) NOT NULL UNIQUE);
             CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL REFERENCES users (id), total INT,
                 CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id), CHECK (total >= 0))",
        )
        .start()
        .unwrap();
    block_on(async {
        let mut connection = MySqlConnection::connect(&daemon.url()).await.unwrap();
        let insert = "INSERT INTO users (email) VALUES (?)";
        let mut transaction = connection.begin().await.unwrap();
        let done = sqlx::query(insert)
            .bind("a@example.org")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let user = done.last_insert_id();
        let order = "INSERT INTO orders (user_id, total) VALUES (?, ?)";
        sqlx::query(order)
            .bind(user)
            .bind(10)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();

        let mut transaction = connection.begin().await.unwrap();
        sqlx::query("DELETE FROM orders")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.rollback().await.unwrap();

        let twice = sqlx::query(insert)
            .bind("a@example.org")
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert!(twice.as_database_error().unwrap().is_unique_violation(), "{twice}");
        let stranger = sqlx::query(order)
            .bind(4711)
            .bind(1)
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert!(
            stranger.as_database_error().unwrap().is_foreign_key_violation(),
            "{stranger}"
        );
        let negative = sqlx::query(order)
            .bind(user)
            .bind(-1)
            .execute(&mut connection)
            .await
            .unwrap_err();
        // MariaDB's and MySQL's numbers for a violated check.
        assert!([4025, 3819].contains(&number(&negative)), "{negative}");

        let sql = "SELECT email, total FROM users JOIN orders ON user_id = users.id";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        let rows: Vec<(String, i32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(rows, [(String::from("a@example.org"), 10)]);
    });
}

fn a_pool_of_many_connections_works(server: fn() -> MySqlBuilder) {
    let daemon = server()
        .init_sql("CREATE TABLE counter (n INT); INSERT INTO counter VALUES (0)")
        .start()
        .unwrap();
    block_on(async {
        let pool = MySqlPoolOptions::new()
            .max_connections(20)
            .connect(&daemon.url())
            .await
            .unwrap();
        let adding = (0..100).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                sqlx::query("UPDATE counter SET n = n + 1")
                    .execute(&pool)
                    .await
                    .map(drop)
            })
        });
        for added in adding.collect::<Vec<_>>() {
            added.await.unwrap().unwrap();
        }
        let n: i32 = sqlx::query_scalar("SELECT n FROM counter")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(n, 100);
        pool.close().await;
    });
}

fn values_of_many_types_survive_the_way_over_the_socket(server: fn() -> MySqlBuilder) {
    let daemon = server().username("app").password("pass").start().unwrap();
    block_on(async {
        let mut connection = mysql_async::Conn::from_url(daemon.unix_socket_url()).await.unwrap();
        let create = "CREATE TABLE t (a BIGINT UNSIGNED, b DOUBLE, c VARBINARY(300), d TEXT, e BOOLEAN, f BLOB)";
        connection.query_drop(create).await.unwrap();
        let bytes: Vec<u8> = (0..=255).collect();
        let values = (
            u64::MAX,
            0.1_f64,
            bytes,
            String::from("a'b\"c\\d\0🦀"),
            true,
            None::<Vec<u8>>,
        );
        connection
            .exec_drop("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", &values)
            .await
            .unwrap();
        let row: Option<Kinds> = connection.exec_first("SELECT * FROM t", ()).await.unwrap();
        assert_eq!(row, Some(values));
        connection.disconnect().await.unwrap();
    });
}

fn the_tcp_url_works_with_mysql_async(server: fn() -> MySqlBuilder) {
    let daemon = server().username("app").password("p@ss/w:rd").start().unwrap();
    block_on(async {
        let mut connection = mysql_async::Conn::from_url(daemon.url()).await.unwrap();
        let user: Option<String> = connection.query_first("SELECT CURRENT_USER()").await.unwrap();
        assert_eq!(user.as_deref(), Some("app@%"));
        connection.disconnect().await.unwrap();
    });
}

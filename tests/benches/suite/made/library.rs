//! What all tests of a suite do with their server. This is the library of the crate of suites.

use lapin::options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};

pub type Outcome = Result<(), Box<dyn std::error::Error>>;

pub async fn count_rows(pool: &sqlx::PgPool) -> Outcome {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM rows_20").fetch_one(pool).await?;
    assert_eq!(count, 0);
    Ok(())
}

pub async fn insert_row(pool: &sqlx::PgPool) -> Outcome {
    let insert = sqlx::query("INSERT INTO rows_20 VALUES (1, 'one')");
    assert_eq!(insert.execute(pool).await?.rows_affected(), 1);
    Ok(())
}

pub async fn count_mysql_rows(pool: &sqlx::MySqlPool) -> Outcome {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM rows_20").fetch_one(pool).await?;
    assert_eq!(count, 0);
    Ok(())
}

pub async fn send_message(url: &str) -> Outcome {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare("jobs", durable, Default::default()).await?;
    let properties = BasicProperties::default();
    channel.basic_publish("", "jobs", BasicPublishOptions::default(), b"one", properties).await?.await?;
    let message = channel.basic_get("jobs", BasicGetOptions::default()).await?;
    assert_eq!(message.ok_or("no message")?.data, b"one");
    connection.close(200, "").await?;
    Ok(())
}

//! The attributes and fixtures, as tests use them with the clients that they know.

use managed_daemons::rstest::{mysql_database, postgres_database, rabbitmq_virtual_host};
use managed_daemons::{
    with_mysql_database, with_postgres_database, with_rabbitmq_virtual_host, with_redis, MySqlDatabase,
    PostgresDatabase, RabbitMqVirtualHost, RedisDaemon,
};
use rstest::rstest;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, MySqlConnection, PgPool};

/// One migration, as `sqlx::migrate!()` would read it from a file.
fn migrator() -> Migrator {
    let sql = "CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)";
    let migration = Migration::new(1, "orders".into(), MigrationType::Simple, sql.into(), false);
    Migrator {
        migrations: vec![migration].into(),
        ..Migrator::DEFAULT
    }
}

async fn migrate(database: &PostgresDatabase) -> Result<(), MigrateError> {
    let pool = PgPool::connect(&database.url()).await?;
    migrator().run(&pool).await
}

#[with_postgres_database(prepare = migrate)]
#[tokio::test]
async fn an_async_function_prepares_a_postgres_database(database: PostgresDatabase) -> sqlx::Result<()> {
    let pool = PgPool::connect(&database.url()).await?;
    let ids: Vec<i32> = sqlx::query_scalar("SELECT id FROM orders").fetch_all(&pool).await?;
    assert_eq!(ids, [7]);
    // What the function made is this test's to change.
    sqlx::raw_sql("ALTER TABLE orders ADD COLUMN name text; DROP TABLE _sqlx_migrations; CREATE SCHEMA more")
        .execute(&pool)
        .await?;
    Ok(())
}

async fn migrate_mysql(database: &MySqlDatabase) -> Result<(), MigrateError> {
    let mut connection = MySqlConnection::connect(&database.url()).await?;
    migrator().run_direct(&mut connection).await
}

#[with_mysql_database(prepare = migrate_mysql)]
#[tokio::test(flavor = "multi_thread")]
async fn an_async_function_prepares_a_mysql_database(database: &MySqlDatabase) -> sqlx::Result<()> {
    let mut connection = MySqlConnection::connect(&database.url()).await?;
    let ids: Vec<i32> = sqlx::query_scalar("SELECT id FROM orders")
        .fetch_all(&mut connection)
        .await?;
    assert_eq!(ids, [7]);
    sqlx::raw_sql("ALTER TABLE orders ADD COLUMN name text; DROP TABLE _sqlx_migrations")
        .execute(&mut connection)
        .await?;
    Ok(())
}

/// A queue for all that come.
async fn declare(host: &RabbitMqVirtualHost) -> lapin::Result<()> {
    let connection = lapin::Connection::connect(&host.url(), Default::default()).await?;
    let channel = connection.create_channel().await?;
    let durable = lapin::options::QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    channel.queue_declare("orders", durable, Default::default()).await?;
    Ok(())
}

#[with_rabbitmq_virtual_host(prepare = declare)]
#[tokio::test]
async fn an_async_function_prepares_a_virtual_host(host: RabbitMqVirtualHost) -> lapin::Result<()> {
    let connection = lapin::Connection::connect(&host.url(), Default::default()).await?;
    let channel = connection.create_channel().await?;
    let passive = lapin::options::QueueDeclareOptions {
        passive: true,
        ..Default::default()
    };
    let queue = channel.queue_declare("orders", passive, Default::default()).await?;
    assert_eq!(queue.message_count(), 0);
    Ok(())
}

fn fill(database: &PostgresDatabase) -> managed_daemons::Result<()> {
    database.query("INSERT INTO orders VALUES (8)").map(drop)
}

#[with_postgres_database(init_sql = "CREATE TABLE orders (id int)", prepare = fill)]
#[with_redis]
#[with_postgres_database(arg = empty)]
#[test]
fn several_on_one_test(filled: PostgresDatabase, redis: RedisDaemon, empty: PostgresDatabase) {
    assert_eq!(
        filled.query("SELECT id FROM orders").unwrap(),
        [[Some(String::from("8"))]]
    );
    assert!(empty.query("SELECT id FROM orders").is_err());
    assert!(redis.is_running());
}

#[rstest]
#[case("one")]
#[case("two")]
fn fixtures(
    #[case] name: &str,
    postgres_database: PostgresDatabase,
    mysql_database: MySqlDatabase,
    rabbitmq_virtual_host: RabbitMqVirtualHost,
) {
    postgres_database.query(&format!("CREATE TABLE {name} ()")).unwrap();
    assert!(mysql_database.url().starts_with("mysql://"));
    assert!(rabbitmq_virtual_host.url().starts_with("amqp://"));
}

#[test]
fn a_handle_shows_no_password() {
    let database = PostgresDatabase::start().unwrap();
    assert!(!format!("{database:?}").contains(database.password()));
    let database = MySqlDatabase::start().unwrap();
    assert!(!format!("{database:?}").contains(database.password()));
    let host = RabbitMqVirtualHost::start().unwrap();
    assert!(!format!("{host:?}").contains(host.password()));
}

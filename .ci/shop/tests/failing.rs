// Appended to tests/orders.rs: the tests that fail in "Getting started" and "When a test fails".
#[with_postgres(init_dir = "migrations")]
#[tokio::test]
#[ignore = "fails"]
async fn sells_tea_again(database: PostgresDaemon) -> sqlx::Result<()> {
    let pool = PgPool::connect(&database.url()).await?;
    sqlx::raw_sql("INSERT INTO orders VALUES (7, 'tea')").execute(&pool).await?;
    Ok(())
}

#[with_postgres(init_sql = "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (7)")]
#[tokio::test]
#[ignore = "fails"]
async fn are_counted(database: PostgresDaemon) -> sqlx::Result<()> {
    let pool = PgPool::connect(&database.url()).await?;
    sqlx::raw_sql("INSERT INTO orders VALUES (7)").execute(&pool).await?;
    Ok(())
}

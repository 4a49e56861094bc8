//! Makes and removes databases of twenty tables, and prints how many milliseconds each took.

use std::time::Instant;

use managed_daemons::PostgresDaemon;
use sqlx::{Connection, Executor, PgConnection};

#[tokio::main]
async fn main() -> suites::Outcome {
    let rounds: usize = std::env::args().nth(1).ok_or("how many rounds?")?.parse()?;
    let postgres = PostgresDaemon::builder().extra_database("model").start()?;
    let mut model = PgConnection::connect(&postgres.database_url("model")).await?;
    sqlx::migrate!("./twenty").run(&mut model).await?;
    model.close().await?;
    let mut connection = PgConnection::connect(&postgres.url()).await?;
    // The first round, which is not printed, starts the shared server.
    for round in 0..=rounds {
        let begin = Instant::now();
        connection.execute("CREATE DATABASE bare TEMPLATE model").await?;
        let made = begin.elapsed();
        let begin = Instant::now();
        connection.execute("DROP DATABASE bare").await?;
        print("bare", round, made, begin.elapsed());
        SHARED
    }
    Ok(())
}

fn print(what: &str, round: usize, made: std::time::Duration, removed: std::time::Duration) {
    if round > 0 {
        println!("{what} {} {}", made.as_secs_f64() * 1e3, removed.as_secs_f64() * 1e3);
    }
}

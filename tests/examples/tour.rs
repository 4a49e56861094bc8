//! Starts all daemons but Valkey at the same time, uses each through a common client, and prints
//! the times and where each binary came from. Not every distribution has Valkey.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::{Duration, Instant};

use managed_daemons::{
    ApacheDaemon, Builder, Daemon, ManagedDaemon, MemcachedDaemon, MySqlDaemon, NginxDaemon, PostgresDaemon,
    RabbitMqDaemon, RedisDaemon,
};
use sqlx::Connection;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A row of the table.
struct Row {
    daemon: &'static str,
    version: String,
    start: Duration,
    use_: Duration,
    removal: Duration,
    answer: String,
    origin: String,
}

fn main() -> Outcome<()> {
    println!("Starting all daemons at the same time. Those that are not installed are fetched once.\n");
    let begin = Instant::now();
    let rows = std::thread::scope(|scope| {
        let tours = [
            scope.spawn(|| tour(RedisDaemon::builder(), redis)),
            scope.spawn(|| tour(PostgresDaemon::builder(), postgres)),
            scope.spawn(|| tour(MySqlDaemon::builder(), mysql)),
            scope.spawn(|| tour(NginxDaemon::builder(), |nginx| page(&nginx.url()))),
            scope.spawn(|| tour(ApacheDaemon::builder(), |apache| page(&apache.url()))),
            scope.spawn(|| tour(RabbitMqDaemon::builder(), rabbitmq)),
            scope.spawn(|| tour(MemcachedDaemon::builder(), memcached)),
        ];
        tours.map(|tour| tour.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let wall = begin.elapsed();
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let line = |cells: [&str; 7]| {
        let [daemon, version, start, use_, removal, answer, origin] = cells;
        println!("{daemon:10} {version:22} {start:>9} {use_:>8} {removal:>11}  {answer:28} {origin}");
    };
    line([
        "daemon",
        "version",
        "start, ms",
        "use, ms",
        "removal, ms",
        "answer",
        "from",
    ]);
    for row in rows {
        let row = row?;
        let (start, use_, removal) = (ms(row.start), ms(row.use_), ms(row.removal));
        line([
            row.daemon,
            &row.version,
            &start,
            &use_,
            &removal,
            &row.answer,
            &row.origin,
        ]);
    }
    println!("\nEverything took {} ms, and nothing is left behind.", ms(wall));
    Ok(())
}

/// Starts a daemon, uses it, and removes it.
fn tour<D: Daemon>(builder: Builder<D>, ask: impl Fn(&ManagedDaemon<D>) -> Outcome<String>) -> Outcome<Row> {
    let begin = Instant::now();
    let daemon = builder.start().map_err(|error| error.report())?;
    let start = begin.elapsed();
    let begin = Instant::now();
    let answer = ask(&daemon)?;
    let use_ = begin.elapsed();
    let (version, origin) = (daemon.version().to_owned(), daemon.origin().to_string());
    let begin = Instant::now();
    daemon.close()?;
    Ok(Row {
        daemon: D::NAME,
        version,
        start,
        use_,
        removal: begin.elapsed(),
        answer,
        origin,
    })
}

fn redis(daemon: &RedisDaemon) -> Outcome<String> {
    let mut connection = redis::Client::open(daemon.url())?.get_connection()?;
    let hits: i64 = redis::cmd("INCR").arg("hits").query(&mut connection)?;
    Ok(format!("INCR hits = {hits}"))
}

fn postgres(daemon: &PostgresDaemon) -> Outcome<String> {
    runtime()?.block_on(async {
        let mut connection = sqlx::PgConnection::connect(&daemon.url()).await?;
        let sum: i64 = sqlx::query_scalar("SELECT sum(n) FROM generate_series(1, 100) AS n")
            .fetch_one(&mut connection)
            .await?;
        Ok(format!("1 + … + 100 = {sum}"))
    })
}

fn mysql(daemon: &MySqlDaemon) -> Outcome<String> {
    runtime()?.block_on(async {
        let mut connection = sqlx::MySqlConnection::connect(&daemon.url()).await?;
        sqlx::query("CREATE TABLE t (n INT)").execute(&mut connection).await?;
        let done = sqlx::query("INSERT INTO t VALUES (1), (2), (3)")
            .execute(&mut connection)
            .await?;
        Ok(format!("{} rows, {:?}", done.rows_affected(), daemon.flavor()))
    })
}

fn rabbitmq(daemon: &RabbitMqDaemon) -> Outcome<String> {
    runtime()?.block_on(async {
        let connection = lapin::Connection::connect(&daemon.url(), lapin::ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let queue = channel
            .queue_declare("", Default::default(), Default::default())
            .await?;
        let name = queue.name().as_str();
        let publish = channel.basic_publish("", name, Default::default(), b"hello", Default::default());
        publish.await?.await?;
        let message = channel.basic_get(name, Default::default()).await?;
        let text = message.map(|message| String::from_utf8_lossy(&message.data).into_owned());
        connection.close(200, "").await?;
        Ok(format!("published, got {}", text.unwrap_or_default()))
    })
}

fn memcached(daemon: &MemcachedDaemon) -> Outcome<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", daemon.port()))?;
    stream.write_all(b"set key 0 0 5\r\nvalue\r\n")?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}

fn page(url: &str) -> Outcome<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = agent.get(format!("{url}/missing")).call()?;
    Ok(format!("GET /missing = {}", answer.status()))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

//! What the report of each daemon tells of a failure.

use std::io::{Read, Write};
use std::net::TcpStream;

use expect_test::expect;
use managed_daemons::{
    once_per_run, ApacheDaemon, MemcachedDaemon, MySqlDaemon, MySqlDatabase, NginxDaemon, PostgresDaemon,
    PostgresDatabase, RabbitMqDaemon, RabbitMqVirtualHost, RedisDaemon, Report,
};
use sqlx::{Connection, Executor};

use super::snapshot::assert_shows;
use crate::support::eventually;

/// A report that says this. On a busy machine, a daemon may not tell in time what it knows, and then
/// the report goes without.
#[track_caller]
fn report_with(texts: &[&str], report: impl Fn() -> Report) -> Report {
    let mut found = None;
    eventually("reported", || {
        let text = found.insert(report()).to_string();
        match texts.iter().all(|part| text.contains(part)) {
            true => Ok(()),
            false => Err(text),
        }
    });
    found.unwrap()
}

#[track_caller]
fn assert_says(report: &str, texts: &[&str]) {
    for text in texts {
        assert!(report.contains(text), "no {text:?} in:\n{report}");
    }
}

#[test]
fn redis_tells_of_errors_and_slow_commands() {
    let redis = RedisDaemon::builder()
        .setting("slowlog-log-slower-than", "0")
        .start()
        .unwrap();
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    redis::cmd("SET").arg("name").arg("text").exec(&mut connection).unwrap();
    redis::cmd("LPUSH")
        .arg("name")
        .arg("more")
        .exec(&mut connection)
        .unwrap_err();
    let texts = ["errors  ", "WRONGTYPE 1", "failed  ", "lpush 1", "ms  LPUSH name more"];
    let _ = report_with(&texts, || redis.report());
    // The client asks versions for what they do not know.
    let fresh = RedisDaemon::start().unwrap();
    assert_shows(
        &fresh.report(),
        &expect![[r#"
        redis <version>, running, started N s ago
          binary  <path> (<origin>)
          url  redis://:H@N:N/
          log  <what of it is shown>
    "#]],
    );
}

#[tokio::test]
async fn postgres_tells_of_statements_that_failed_and_of_open_transactions() {
    let postgres = PostgresDaemon::start().unwrap();
    let mut one = sqlx::PgConnection::connect(&postgres.url()).await.unwrap();
    one.execute("SELECT * FROM missing").await.unwrap_err();
    let mut transaction = one.begin().await.unwrap();
    transaction.execute("CREATE TABLE orders (id int)").await.unwrap();
    assert_shows(
        &report_with(&["unfinished"], || postgres.report()),
        &expect![[r#"
        postgres <version>, running, started N s ago
          unfinished  idle in transaction: CREATE TABLE orders (id int)
          binary  <path> (<origin>)
          url  postgresql://postgres:H@N:N/postgres
          log  <what of it is shown>
            > ERROR:  relation "missing" does not exist at character N
            > STATEMENT:  SELECT * FROM missing
    "#]],
    );
}

#[tokio::test]
async fn mysql_tells_of_foreign_keys_and_deadlocks() {
    let mysql = MySqlDaemon::builder()
        .init_sql("CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (a INT, FOREIGN KEY (a) REFERENCES a (id));")
        .init_sql("INSERT INTO a VALUES (1), (2);")
        .start()
        .unwrap();
    let mut one = sqlx::MySqlConnection::connect(&mysql.url()).await.unwrap();
    let mut two = sqlx::MySqlConnection::connect(&mysql.url()).await.unwrap();
    one.execute("INSERT INTO b VALUES (7)").await.unwrap_err();
    for (connection, id) in [(&mut one, 1), (&mut two, 2)] {
        connection.execute("BEGIN").await.unwrap();
        let lock = format!("SELECT * FROM a WHERE id = {id} FOR UPDATE");
        connection.execute(&*lock).await.unwrap();
    }
    let waits = one.execute("SELECT * FROM a WHERE id = 2 FOR UPDATE");
    let (one, two) = tokio::join!(waits, two.execute("SELECT * FROM a WHERE id = 1 FOR UPDATE"));
    assert!(one.is_err() || two.is_err());
    let texts = ["deadlock     ", "foreign key  ", "INSERT INTO b VALUES (7)"];
    let _ = report_with(&texts, || mysql.report());
    // What InnoDB tells of them differs from version to version.
    let fresh = MySqlDaemon::start().unwrap();
    assert_shows(
        &fresh.report(),
        &expect![[r#"
        mysql <version>, running, started N s ago
          binary  <path> (<origin>)
          url  mysql://root:H@N:N/test
          log  <what of it is shown>
    "#]],
    );
}

#[tokio::test]
async fn rabbitmq_tells_of_its_queues() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    let properties = lapin::ConnectionProperties::default();
    let connection = lapin::Connection::connect(&rabbit.url(), properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel
        .queue_declare("jobs", Default::default(), Default::default())
        .await
        .unwrap();
    let publish = channel.basic_publish("", "jobs", Default::default(), b"one", Default::default());
    publish.await.unwrap().await.unwrap();
    // The answer comes after the message is in the queue.
    channel.basic_get("none", Default::default()).await.unwrap_err();
    let text = "jobs in /: 1 ready, 0 unacknowledged, 0 consumers";
    assert_shows(
        &report_with(&[text], || rabbit.report()),
        &expect![[r#"
        rabbitmq <version>, running, started N s ago
          queues  jobs in /: N ready, N unacknowledged, N consumers
          binary  <path> (<origin>)
          url  amqp://guest:H@N:N/%NF
          log  <what of it is shown>
            > [error] <N> Channel error on connection <N> (N:N -> N:N, vhost: '/', user: 'guest'), channel N:
            > [error] <N> operation basic.get caused a channel exception not_found: no queue 'none' in vhost '/'
    "#]],
    );
}

#[test]
fn memcached_tells_of_evictions() {
    let memcached = MemcachedDaemon::builder().memory(4).start().unwrap();
    let mut stream = TcpStream::connect((memcached.host(), memcached.port())).unwrap();
    let value = "x".repeat(100_000);
    for number in 0..400 {
        write!(stream, "set {number} 0 0 {}\r\n{value}\r\n", value.len()).unwrap();
        stream.read_exact(&mut [0; 8]).unwrap();
    }
    write!(stream, "get none\r\n").unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
    let texts = ["evictions", "gets       0 hits, 1 misses"];
    assert_shows(
        &report_with(&texts, || memcached.report()),
        &expect![[r#"
        memcached <version>, running, started N s ago
          evictions  N
          gets  N hits, N misses
          binary  <path> (<origin>)
          url  memcache://N:N
          log  <what of it is shown>
    "#]],
    );
}

#[test]
fn web_servers_tell_of_requests_and_errors() {
    fn get(url: &str) {
        ureq::get(url).call().unwrap_err();
    }
    let nginx = NginxDaemon::start().unwrap();
    get(&format!("{}/missing", nginx.url()));
    nginx.wait_for_access("/missing").unwrap();
    assert_shows(
        &nginx.report(),
        &expect![[r#"
        nginx <version>, running, started N s ago
          requests  N - - [<time>] "GET /missing HTTP/N" N N "-" "ureq/N"
          binary  <path> (<origin>)
          url  http://N:N
          log  <what of it is shown>
            > [error] N#N: *N open() <path> failed (N: No such file or directory), client: N, server: , request: "GET /missing HTTP/N", host: "N:N"
    "#]],
    );

    let apache = ApacheDaemon::start().unwrap();
    get(&format!("{}/missing", apache.url()));
    apache.wait_for_access("/missing").unwrap();
    assert_shows(
        &apache.report(),
        &expect![[r#"
        apache <version>, running, started N s ago
          requests  N - - [<time>] "GET /missing HTTP/N" N N "-" "ureq/N"
          binary  <path> (<origin>)
          url  http://N:N
          log  <what of it is shown>
    "#]],
    );
}

#[test]
fn a_password_is_shown_only_where_it_dies_with_the_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let temporary = RedisDaemon::builder().password("s3cret").start().unwrap();
    assert_says(&temporary.report().to_string(), &["redis://:s3cret@"]);
    let kept = RedisDaemon::builder()
        .password("s3cret")
        .working_dir(dir.path().join("redis"))
        .start()
        .unwrap();
    let report = kept.report().to_string();
    assert_says(&report, &["redis://:…@"]);
    assert!(!report.contains("s3cret"), "{report}");
}

#[test]
fn a_daemon_that_cannot_answer_is_reported_all_the_same() {
    let redis = RedisDaemon::start().unwrap();
    redis.pause().unwrap();
    assert_says(&redis.report().to_string(), &[", paused, started ", "Ready to accept"]);
    redis.resume().unwrap();
    redis.kill().unwrap();
    assert_says(
        &redis.report().to_string(),
        &["not running: its handle has stopped or killed it"],
    );
}

#[tokio::test]
async fn a_database_of_a_shared_server_tells_of_its_own_clients() {
    let database = PostgresDatabase::start().unwrap();
    let neighbour = PostgresDatabase::start().unwrap();
    database.query("SELECT * FROM missing").unwrap_err();
    let mut client = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    let mut other = sqlx::PgConnection::connect(&neighbour.url()).await.unwrap();
    let mut transaction = client.begin().await.unwrap();
    transaction.execute("SELECT 1 AS ours").await.unwrap();
    let mut others = other.begin().await.unwrap();
    others.execute("SELECT 2 AS theirs").await.unwrap();
    assert_shows(
        &report_with(&["unfinished"], || database.report()),
        &expect![[r#"
        postgres <version>, which the tests of this run share
          unfinished  idle in transaction: SELECT N AS ours
          url  postgresql://H:H@N:N/H
          log  <what of it is shown>
            > ERROR:  relation "missing" does not exist at character N
            > STATEMENT:  SELECT * FROM missing
    "#]],
    );
    let report = database.report().to_string();
    assert!(
        report.contains(&database.url()) && !report.contains("theirs"),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_other_shared_servers_tell_of_theirs() {
    let database = MySqlDatabase::start().unwrap();
    let mut client = sqlx::MySqlConnection::connect(&database.url()).await.unwrap();
    let sleeping = tokio::spawn(async move { client.execute("SELECT sleep(60)").await.map(drop) });
    let sleeps = || match database.report().to_string() {
        report if report.contains("SELECT sleep(60)") => Ok(()),
        report => Err(report),
    };
    tokio::task::block_in_place(|| eventually("was reported", sleeps));
    sleeping.abort();

    let host = RabbitMqVirtualHost::start().unwrap();
    let properties = lapin::ConnectionProperties::default();
    let connection = lapin::Connection::connect(&host.url(), properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let declared = channel.queue_declare("ours", Default::default(), Default::default());
    declared.await.unwrap();
    let queue = format!("ours in {}: 0 ready", host.virtual_host());
    let _ = report_with(&[&queue, &host.url()], || host.report());

    let redis = once_per_run("reported", RedisDaemon::builder).unwrap();
    assert_says(&redis.report().to_string(), &["redis ", redis.url(), "log  "]);
}

//! Uses a daemon before and after a restart, and checks that its data are still there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use managed_daemons::{Daemon, ManagedDaemon, MemcachedDaemon, MySqlDaemon, PostgresDaemon, RabbitMqDaemon};
use sqlx::Connection as _;

use super::Outcome;

/// Fails unless the daemon has answered as it should.
fn expect(answer: impl AsRef<str>, wanted: &str) -> Outcome<()> {
    match answer.as_ref() {
        answer if answer == wanted => Ok(()),
        answer => Err(format!("answered {answer:?}, not {wanted:?}").into()),
    }
}

fn restart<D: Daemon>(daemon: &ManagedDaemon<D>) -> Outcome<()> {
    daemon.restart().map_err(|error| error.report().into())
}

pub(crate) fn redis<D: Daemon>(url: &str, daemon: &ManagedDaemon<D>) -> Outcome<()> {
    let connect = || redis::Client::open(url)?.get_connection();
    redis::cmd("SET").arg("what").arg("kept").exec(&mut connect()?)?;
    restart(daemon)?;
    expect(redis::cmd("GET").arg("what").query::<String>(&mut connect()?)?, "kept")
}

pub(crate) fn postgres(postgres: &PostgresDaemon) -> Outcome<()> {
    block_on(async {
        let mut connection = sqlx::PgConnection::connect(&postgres.url()).await?;
        sqlx::query("CREATE TABLE t AS SELECT 'kept'::text AS what")
            .execute(&mut connection)
            .await?;
        restart(postgres)?;
        let mut connection = sqlx::PgConnection::connect(&postgres.url()).await?;
        let what: String = sqlx::query_scalar("SELECT what FROM t")
            .fetch_one(&mut connection)
            .await?;
        expect(what, "kept")
    })?;
    let replica = postgres.replica().map_err(|error| error.report())?;
    replica.catch_up_with(postgres)?;
    replica.promote()?;
    replica.query("INSERT INTO t VALUES ('promoted')")?;
    Ok(())
}

pub(crate) fn mysql(mysql: &MySqlDaemon) -> Outcome<()> {
    block_on(async {
        let mut connection = sqlx::MySqlConnection::connect(&mysql.url()).await?;
        sqlx::query("CREATE TABLE t AS SELECT 'kept' AS what")
            .execute(&mut connection)
            .await?;
        restart(mysql)?;
        let mut connection = sqlx::MySqlConnection::connect(&mysql.url()).await?;
        let what: String = sqlx::query_scalar("SELECT what FROM t")
            .fetch_one(&mut connection)
            .await?;
        expect(what, "kept")
    })
}

/// Serves a file, before and after a reload and a restart.
pub(crate) fn web<D: Daemon>(url: &str, root: &Path, daemon: &ManagedDaemon<D>) -> Outcome<()> {
    std::fs::write(root.join("what.txt"), "kept")?;
    let get = || {
        let mut answer = ureq::get(format!("{url}/what.txt")).call()?;
        answer.body_mut().read_to_string()
    };
    expect(get()?, "kept")?;
    daemon.reload().map_err(|error| error.report())?;
    expect(get()?, "kept")?;
    restart(daemon)?;
    expect(get()?, "kept")
}

pub(crate) fn rabbitmq(rabbit: &RabbitMqDaemon) -> Outcome<()> {
    block_on(async {
        let (connection, channel) = open(rabbit).await?;
        channel.confirm_select(Default::default()).await?;
        let durable = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        channel.queue_declare("jobs", durable, Default::default()).await?;
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let published = channel.basic_publish("", "jobs", BasicPublishOptions::default(), b"kept", persistent);
        published.await?.await?;
        connection.close(200, "").await?;
        restart(rabbit)?;
        let (connection, channel) = open(rabbit).await?;
        let message = channel
            .basic_get("jobs", BasicGetOptions::default())
            .await?
            .ok_or("the message is gone")?;
        message.ack(BasicAckOptions::default()).await?;
        connection.close(200, "").await?;
        expect(String::from_utf8_lossy(&message.data), "kept")
    })
}

async fn open(rabbit: &RabbitMqDaemon) -> lapin::Result<(Connection, Channel)> {
    let connection = Connection::connect(&rabbit.url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

/// It keeps nothing over a restart.
pub(crate) fn memcached(memcached: &MemcachedDaemon) -> Outcome<()> {
    let ask = |request: &str, length: usize| -> Outcome<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", memcached.port()))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    expect(ask("set what 0 0 4\r\nkept\r\n", 8)?, "STORED\r\n")?;
    expect(ask("get what\r\n", 20)?, "VALUE what 0 4\r\nkept")?;
    restart(memcached)?;
    expect(ask("get what\r\n", 5)?, "END\r\n")
}

fn block_on<T>(future: impl std::future::Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

//! Asks a daemon for its first real answer, in the same way for the bare loop's daemons and for
//! ours.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sqlx::ConnectOptions;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The protocol of a daemon, and the port or URL to reach it at.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    Redis(String),
    Postgres(String),
    MySql(String),
    Http(u16),
    Amqp(String),
    Memcached(u16),
}

impl Client {
    /// Tries once: connects over TCP, with the password if there is one, sends a request, and
    /// reads the answer.
    pub(crate) fn ask(&self, runtime: &tokio::runtime::Runtime) -> Result<(), Failure> {
        match self {
            Self::Redis(url) => {
                let mut connection = redis::Client::open(url.as_str())?.get_connection()?;
                expect(redis::cmd("PING").query::<String>(&mut connection)?.as_bytes(), b"PONG")
            }
            Self::Postgres(url) => runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
                let connection = tokio::spawn(connection);
                let rows = client.simple_query("SELECT 1").await?;
                drop(client);
                connection.await??;
                // The row description, the row, and the end of the command.
                if rows.len() < 2 {
                    Err("no row".into())
                } else {
                    Ok(())
                }
            }),
            Self::MySql(url) => runtime.block_on(async {
                use sqlx::Connection;
                let options: sqlx::mysql::MySqlConnectOptions = url.parse()?;
                let mut connection = options.disable_statement_logging().connect().await?;
                sqlx::query("SELECT 1").execute(&mut connection).await?;
                connection.close().await?;
                Ok(())
            }),
            Self::Http(port) => exchange(*port, b"GET /absent HTTP/1.0\r\n\r\n", b"HTTP/1.1 404"),
            Self::Memcached(port) => exchange(*port, b"version\r\n", b"VERSION"),
            Self::Amqp(url) => runtime.block_on(async {
                let connection = lapin::Connection::connect(url, lapin::ConnectionProperties::default()).await?;
                connection.close(200, "").await?;
                Ok(())
            }),
        }
    }
}

fn exchange(port: u16, request: &[u8], expected: &[u8]) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(request)?;
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer)?;
    expect(&answer, expected)
}

fn expect(answer: &[u8], expected: &[u8]) -> Result<(), Failure> {
    if answer == expected {
        return Ok(());
    }
    Err(format!("answered {:?}", String::from_utf8_lossy(answer)).into())
}

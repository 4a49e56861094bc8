//! What people write first.

use managed_daemons::{with_command, with_postgres, CommandDaemon, PostgresDaemon};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::program;

#[with_command(
    "nats-server",
    package = "nats-server",
    args("-a", "{host}", "-p", "{port}", "-sd", "{dir}"),
    ready_tcp
)]
#[tokio::test]
async fn publishes(nats: CommandDaemon) -> std::io::Result<()> {
    assert_eq!(nats.url("nats"), format!("nats://127.0.0.1:{}/", nats.port()));
    let mut lines = BufReader::new(TcpStream::connect(nats.address()).await?).lines();
    assert!(lines.next_line().await?.unwrap().starts_with("INFO "));
    let talk = b"CONNECT {\"verbose\":false}\r\nSUB orders 1\r\nPUB orders 5\r\nhello\r\n";
    lines.get_mut().write_all(talk).await?;
    assert_eq!(lines.next_line().await?.unwrap(), "MSG orders 1 5");
    assert_eq!(lines.next_line().await?.unwrap(), "hello");
    Ok(())
}

#[with_postgres(init_sql = "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)")]
#[with_command(
    program!("shop"),
    env("DATABASE_URL", database.url()),
    env("PORT", "{port}"),
    ready_http = "/health",
    arg = shop
)]
#[tokio::test]
async fn counts_its_orders(database: PostgresDaemon, shop: CommandDaemon) {
    let orders = || {
        ureq::get(shop.url("http") + "orders")
            .call()
            .unwrap()
            .into_body()
            .read_to_string()
            .unwrap()
    };
    assert_eq!(orders(), "2");
    database.query("DELETE FROM orders WHERE id = 1").unwrap();
    assert_eq!(orders(), "1");
}

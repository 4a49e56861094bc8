//! A small web server, as somebody's own program: it says how many orders its database has.
#![allow(clippy::print_stderr)]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use tokio_postgres::NoTls;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    let database = std::env::var("DATABASE_URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    eprintln!("serving on port {port}");
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(error) = answer(stream, |path| match path {
            "/health" => Ok(Some(String::from("well"))),
            "/orders" => runtime.block_on(count(&database)).map(Some),
            _ => Ok(None),
        }) {
            eprintln!("{error}");
        }
    }
}

async fn count(database: &str) -> Result<String> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    let connection = tokio::spawn(connection);
    let row = client.query_one("SELECT count(*) FROM orders", &[]).await?;
    let count: i64 = row.get(0);
    drop(client);
    connection.await??;
    Ok(count.to_string())
}

fn answer(mut stream: TcpStream, page: impl Fn(&str) -> Result<Option<String>>) -> Result<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(&stream);
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = line.split(' ').nth(1).ok_or("no path")?;
    let (status, text) = match page(path) {
        Ok(Some(text)) => ("200 OK", text),
        Ok(None) => ("404 Not Found", String::new()),
        Err(error) => ("500 Internal Server Error", error.to_string()),
    };
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )?;
    Ok(())
}

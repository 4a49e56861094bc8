//! The server that pages start as `./shop --port PORT`: it answers /health, once it has reached its database.
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, flag, port] = &arguments[..] else { panic!("usage: shop --port PORT") };
    assert_eq!(flag, "--port");
    let database = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    let (_, address) = database.rsplit_once('@').expect("a URL with an account");
    TcpStream::connect(address.split('/').next().expect("an address"))?;

    for stream in TcpListener::bind(format!("127.0.0.1:{port}"))?.incoming() {
        let mut stream = stream?;
        let mut request = BufReader::new(&stream).lines();
        let line = request.next().transpose()?.unwrap_or_default();
        while request.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
        let status = if line.starts_with("GET /health ") { "200 OK" } else { "404 Not Found" };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    }
    Ok(())
}

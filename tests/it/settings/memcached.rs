use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use managed_daemons::{ManagedDaemon, MemcachedDaemon};

use super::bare::{Arguments, Bare};
use super::{assert_documented, differing, Settings};

const TABLE: &str = include_str!("../../../fixtures/src/daemons/memcached/settings.md");

#[derive(Debug, Default)]
struct Memcached;

impl Arguments for Memcached {
    const DAEMON: &'static str = "memcached";
    const ADDRESS: &'static str = "-l";
    const PORT: &'static str = "-p";
}

fn settings(port: u16) -> Settings {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"stats settings\r\n").unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let lines = lines.take_while(|line| line != "END");
    let settings = lines.filter_map(|line| {
        let (name, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
        Some((name.to_owned(), value.to_owned()))
    });
    settings.collect()
}

#[test]
fn the_table_of_memcached_is_true() {
    let ours = MemcachedDaemon::start().unwrap();
    let ours = settings(ours.port());
    let bare = ManagedDaemon::<Bare<Memcached>>::start().unwrap();
    let bare = settings(bare.port());
    assert_documented(TABLE, &differing(&ours, &bare), |name| ours.get(name).cloned());
}

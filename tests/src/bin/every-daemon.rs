//! Starts daemons, uses them and restarts them, for tests of an unusual machine:
//! `every-daemon start redis postgres`, or of a limit: `every-daemon redis-until-failure`.
//!
//! Prints a line for each daemon, `NAME: ok` or `NAME: ` and the report of an error.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // what goes wrong here fails a test

use std::error::Error;
use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use managed_daemons::{
    ApacheDaemon, Daemon, ManagedDaemon, MemcachedDaemon, NginxDaemon, RabbitMqDaemon, RedisDaemon, ValkeyDaemon,
};
use managed_daemons_tests::{mariadb, postgres};

/// Data may be made by several at once.
const PATIENCE: Duration = Duration::from_secs(300);

type Used = Result<(), Box<dyn Error>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, names) = arguments.split_first().unwrap();
    if what == "redis-until-failure" {
        return redis_until_failure();
    }
    std::thread::scope(|scope| {
        for name in names {
            scope.spawn(move || {
                let report = match used(name) {
                    Ok(()) => String::from("ok"),
                    Err(error) => format!("{error:?}"),
                };
                println!("{name}: {}", report.replace('\n', " | "));
            });
        }
    });
}

/// Starts servers and keeps them, until a start fails, and prints why it did.
fn redis_until_failure() {
    let mut servers = Vec::new();
    loop {
        match RedisDaemon::start() {
            Ok(server) => servers.push(server),
            Err(error) => return println!("redis: {}", error.report().replace('\n', " | ")),
        }
    }
}

fn used(name: &str) -> Used {
    match name {
        "redis" => {
            let redis = RedisDaemon::start()?;
            ping(&redis.url())?;
            redis.restart()?;
            ping(&redis.url())
        }
        "valkey" => {
            let valkey = ValkeyDaemon::start()?;
            ping(&valkey.url())
        }
        "memcached" => {
            let memcached = MemcachedDaemon::start()?;
            answers(&memcached, "version\r\nquit\r\n", "VERSION 1")
        }
        "postgres" => {
            let postgres = postgres().start_timeout(PATIENCE).start()?;
            postgres.query("CREATE TABLE t AS SELECT 42 AS n")?;
            let mut psql = postgres.psql()?;
            printed(psql.args(["--tuples-only", "-c", "SELECT n FROM t"]), "42")?;
            postgres.restart()?;
            let rows = postgres.query("SELECT n FROM t")?;
            is_true(rows == [[Some(String::from("42"))]], "another row")
        }
        "mariadb" => {
            let server = mariadb()
                .init_sql("CREATE TABLE t AS SELECT 42 AS n")
                .start_timeout(PATIENCE)
                .start()?;
            server.restart()?;
            is_true(server.is_running(), "it has ended")
        }
        "nginx" => {
            let nginx = NginxDaemon::start()?;
            write_page(&nginx.document_root())?;
            nginx.reload()?;
            answers(&nginx, "GET /a.txt HTTP/1.0\r\n\r\n", "hello")
        }
        "apache" => {
            let apache = ApacheDaemon::start()?;
            write_page(&apache.document_root())?;
            apache.reload()?;
            answers(&apache, "GET /a.txt HTTP/1.0\r\n\r\n", "hello")
        }
        "rabbitmq" => {
            let rabbitmq = RabbitMqDaemon::builder().start_timeout(PATIENCE).start()?;
            is_true(rabbitmq.eval("6 * 7.")?.contains("42"), "another number")?;
            rabbitmq.restart()?;
            Ok(())
        }
        unknown => Err(format!("there is no daemon `{unknown}`").into()),
    }
}

/// Writes a page that everybody can read, whatever the umask.
fn write_page(document_root: &Path) -> std::io::Result<()> {
    let page = document_root.join("a.txt");
    std::fs::write(&page, "hello")?;
    std::fs::set_permissions(page, Permissions::from_mode(0o644))
}

fn ping(url: &str) -> Used {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    let answer: String = redis::cmd("PING").query(&mut connection)?;
    is_true(answer == "PONG", &answer)
}

/// Sends a request to a daemon that closes the connection after its answer.
fn answers<D: Daemon>(daemon: &ManagedDaemon<D>, request: &str, part: &str) -> Used {
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.port()))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    is_true(answer.contains(part), &answer)
}

fn printed(command: &mut Command, text: &str) -> Used {
    let output = command.output()?;
    is_true(output.stdout.trim_ascii() == text.as_bytes(), &format!("{output:?}"))
}

fn is_true(condition: bool, otherwise: &str) -> Used {
    match condition {
        true => Ok(()),
        false => Err(otherwise.into()),
    }
}

//! The peers that are crates: this process does one start and removal per line on standard input.
#![allow(clippy::print_stdout)]

use std::io::BufRead;
use std::time::{Duration, Instant};

use managed_daemons::CommandDaemon;

use crate::client::Failure;
use crate::subject::Times;

/// Answers each line with the seconds until the daemon could be used, and the seconds that its
/// removal took.
pub(crate) fn serve(peer: &str) -> Result<(), Failure> {
    let cycle: fn() -> Result<Times, Failure> = match peer {
        "CommandDaemon" => any_program,
        "redis-test" => redis_test,
        "pgtemp" => pgtemp,
        "tmp-postgrust" | "tmp-postgrust, on tmpfs" => tmp_postgrust,
        other => return Err(format!("unknown peer {other:?}").into()),
    };
    for line in std::io::stdin().lock().lines() {
        line?;
        match cycle() {
            Ok(times) => println!("{} {}", times.start.as_secs_f64(), times.removal.as_secs_f64()),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

/// Redis as any program, with the settings that matter for a start.
fn any_program() -> Result<Times, Failure> {
    let begin = Instant::now();
    let server = CommandDaemon::builder()
        .program("redis-server")
        .package("redis-server")
        .args([
            "--bind",
            "{host}",
            "--port",
            "{port}",
            "--save",
            "",
            "--requirepass",
            "bench",
        ])
        .start()?;
    let client = redis::Client::open(format!("redis://:bench@{}/", server.address()))?;
    redis::cmd("PING").query::<String>(&mut client.get_connection()?)?;
    Ok(removed(begin, server))
}

/// The constructor does not wait until the server is ready, so a client waits, as in the crate's
/// own tests.
fn redis_test() -> Result<Times, Failure> {
    let begin = Instant::now();
    let server = redis_test::server::RedisServer::new();
    let client = redis::Client::open(server.connection_info())?;
    let ask = || redis::cmd("PING").query::<String>(&mut client.get_connection()?);
    while let Err(error) = ask() {
        if begin.elapsed() > Duration::from_secs(10) {
            return Err(error.into());
        }
        std::thread::sleep(Duration::from_micros(250));
    }
    Ok(removed(begin, server))
}

fn pgtemp() -> Result<Times, Failure> {
    let begin = Instant::now();
    let server = pgtemp::PgTempDB::new();
    Ok(removed(begin, server))
}

fn tmp_postgrust() -> Result<Times, Failure> {
    let begin = Instant::now();
    let server = tmp_postgrust::new_default_process()?;
    Ok(removed(begin, server))
}

fn removed<T>(begin: Instant, server: T) -> Times {
    let start = begin.elapsed();
    let begin = Instant::now();
    drop(server);
    Times {
        start,
        removal: begin.elapsed(),
    }
}

//! A test process that shares something with others of its run. The tests start it, and kill it.
//!
//! It prints what it has got, one thing a line, and goes when its standard input closes.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, clippy::panic)] // its output is for a test, which sees it fail

use std::fs::OpenOptions;
use std::io::{stdin, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use managed_daemons::{
    once_per_run, Flavor, ManagedDaemonError, MySqlDatabase, PostgresDatabase, RabbitMqVirtualHost, RedisDaemon, Result,
};
use managed_daemons_tests::mysql_suite;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Err(error) = act(&arguments) {
        println!("failed: {}", error.report().replace('\n', " | "));
        wait();
    }
}

fn act(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["daemon", key] => {
            let redis = once_per_run(key, RedisDaemon::builder)?;
            println!("{}", redis.url());
            wait();
        }
        // Makes it only when there is a line on standard input.
        ["slow-daemon", key] => {
            let make = || {
                println!("making");
                wait();
                RedisDaemon::builder()
            };
            println!("{}", once_per_run(key, make)?.url());
            wait();
        }
        ["bad-daemon", key, log] => {
            let make = || {
                let mut file = OpenOptions::new().create(true).append(true).open(log).unwrap();
                file.write_all(b"tried\n").unwrap();
                RedisDaemon::builder().setting("maxmemory", "a lot")
            };
            once_per_run(key, make)?;
        }
        // Starts so many of its own, one after the other, and ends them in this order, one a line.
        ["own", count] => {
            let mut daemons = Vec::new();
            for _ in 0..count.parse().unwrap() {
                daemons.push(RedisDaemon::start()?);
                println!("started");
            }
            while let Some(redis) = daemons.pop() {
                wait();
                redis.close()?;
                println!("ended");
            }
        }
        ["postgres"] => show(
            PostgresDatabase::start()?,
            PostgresDatabase::url,
            PostgresDatabase::close,
        )?,
        // Prepares it only when there is a line on standard input.
        ["slow-postgres"] => {
            let database = PostgresDatabase::builder().prepare(make_marks_when_told);
            show(database.start()?, PostgresDatabase::url, PostgresDatabase::close)?
        }
        ["mysql"] => show(MySqlDatabase::start()?, MySqlDatabase::url, MySqlDatabase::close)?,
        ["rabbitmq"] => show(
            RabbitMqVirtualHost::start()?,
            RabbitMqVirtualHost::url,
            RabbitMqVirtualHost::close,
        )?,
        // With contents from SQL and from a function.
        ["postgres-orders"] => {
            let orders = PostgresDatabase::builder().init_sql(ORDERS).prepare(add_order);
            show(orders.start()?, PostgresDatabase::url, PostgresDatabase::close)?
        }
        ["mysql-orders"] => {
            let orders = MySqlDatabase::builder().init_sql(ORDERS).prepare(leave_as_it_is);
            show(orders.start()?, MySqlDatabase::url, MySqlDatabase::close)?
        }
        ["rabbitmq-orders"] => {
            let orders = RabbitMqVirtualHost::builder().management().definitions(EXCHANGES);
            show(orders.start()?, RabbitMqVirtualHost::url, RabbitMqVirtualHost::close)?
        }
        // With contents that a function declares through the management API.
        ["rabbitmq-prepared"] => {
            let orders = RabbitMqVirtualHost::builder().management().prepare(declare);
            show(orders.start()?, RabbitMqVirtualHost::url, RabbitMqVirtualHost::close)?
        }
        // Loads a file first.
        ["postgres-file", file] => {
            let loaded = PostgresDatabase::builder().init_file(*file);
            show(loaded.start()?, PostgresDatabase::url, PostgresDatabase::close)?
        }
        ["postgres-file-within-2s", file] => {
            let loaded = PostgresDatabase::builder()
                .start_timeout(Duration::from_secs(2))
                .init_file(*file);
            show(loaded.start()?, PostgresDatabase::url, PostgresDatabase::close)?
        }
        ["postgres-version", version] => {
            let database = PostgresDatabase::builder().version(*version);
            show(database.start()?, PostgresDatabase::url, PostgresDatabase::close)?
        }
        ["postgres-setting"] => {
            let database = PostgresDatabase::builder().setting("work_mem", "1MB");
            show(database.start()?, PostgresDatabase::url, PostgresDatabase::close)?
        }
        ["mysql-setting"] => {
            let database = MySqlDatabase::builder().setting("max_allowed_packet", "32M");
            show(database.start()?, MySqlDatabase::url, MySqlDatabase::close)?
        }
        ["mysql-version", version] => {
            let database = MySqlDatabase::builder().version(*version);
            show(database.start()?, MySqlDatabase::url, MySqlDatabase::close)?
        }
        ["mysql-flavor", flavor] => {
            let flavor = match *flavor {
                "mariadb" => Flavor::MariaDb,
                _ => Flavor::MySql,
            };
            let database = MySqlDatabase::builder().flavor(flavor);
            show(database.start()?, MySqlDatabase::url, MySqlDatabase::close)?
        }
        ["rabbitmq-setting"] => {
            let host = RabbitMqVirtualHost::builder().setting("heartbeat", "10");
            show(host.start()?, RabbitMqVirtualHost::url, RabbitMqVirtualHost::close)?
        }
        ["rabbitmq-version", version] => {
            let host = RabbitMqVirtualHost::builder().version(*version);
            show(host.start()?, RabbitMqVirtualHost::url, RabbitMqVirtualHost::close)?
        }
        ["rabbitmq-definitions", file] => {
            let definitions = std::fs::read_to_string(file).unwrap();
            let host = RabbitMqVirtualHost::builder().definitions(definitions);
            show(host.start()?, RabbitMqVirtualHost::url, RabbitMqVirtualHost::close)?
        }
        // What only a server on this machine has, a line each.
        ["postgres-local"] => {
            let database = PostgresDatabase::start()?;
            println!("{:?}", database.unix_socket_url());
            println!("{}", database.server_log().unwrap_err());
        }
        ["mysql-local"] => {
            let database = MySqlDatabase::start()?;
            println!("{:?}", database.unix_socket_url());
            println!("{}", database.server_log().unwrap_err());
        }
        ["rabbitmq-local"] => println!("{}", RabbitMqVirtualHost::start()?.server_log().unwrap_err()),
        // Whether nobody else uses its database.
        ["alone"] => {
            let database = PostgresDatabase::builder().prepare(make_marks).start()?;
            println!("{}", database.database());
            let marks = || database.query("SELECT pid FROM marks");
            database.query(&format!("INSERT INTO marks VALUES ({})", std::process::id()))?;
            let own = [[Some(std::process::id().to_string())]];
            println!("{}", if marks()? == own { "alone" } else { "not alone" });
            wait();
            println!(
                "{}",
                if marks()? == own {
                    "still alone"
                } else {
                    "not alone any more"
                }
            );
            wait();
        }
        // Drops its database, and stays.
        ["drop"] => {
            let database = PostgresDatabase::start()?;
            println!("{}", database.database());
            wait();
            drop(database);
            println!("dropped");
            wait();
        }
        // How many databases of this name there are, a line each time.
        ["exists", name] => {
            let database = PostgresDatabase::start()?;
            loop {
                let sql = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
                println!("{}", database.query(&sql)?.remove(0).remove(0).unwrap_or_default());
                wait();
            }
        }
        // How many databases of tests there are, a line each time.
        ["count"] => {
            let database = PostgresDatabase::builder().prepare(make_marks).start()?;
            loop {
                let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\\_%' AND datallowconn";
                println!("{}", database.query(sql)?.remove(0).remove(0).unwrap_or_default());
                wait();
            }
        }
        // Fails as a test does whose pool gets no connection.
        ["out-of-connections"] => {
            let database = PostgresDatabase::builder().setting("max_connections", "20").start()?;
            let mut clients = Vec::new();
            loop {
                let psql = Command::new("psql")
                    .arg(database.url())
                    .stdin(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn();
                clients.push(psql.unwrap());
                std::thread::sleep(Duration::from_millis(20));
                if clients.iter_mut().any(|client| client.try_wait().unwrap().is_some()) {
                    clients
                        .iter_mut()
                        .for_each(|client| drop(client.kill().and_then(|()| client.wait())));
                    eprintln!("{}", database.report());
                    break;
                }
            }
        }
        // Likewise.
        ["out-of-mysql-connections", flavor] => {
            let builder = MySqlDatabase::builder().setting("max_connections", "20");
            let builder = match (*flavor, mysql_suite()) {
                ("mariadb", _) => builder.flavor(Flavor::MariaDb),
                (_, Some(suite)) => builder.flavor(Flavor::MySql).suite(suite),
                (_, None) => builder.flavor(Flavor::MySql),
            };
            let database = builder.start()?;
            let mut clients = Vec::new();
            loop {
                let mut client = TcpStream::connect((database.host(), database.port())).unwrap();
                let mut first = [0; 5];
                client.read_exact(&mut first).unwrap();
                clients.push(client);
                // An error, instead of a greeting.
                if first[4] == 0xff {
                    println!("refused");
                    wait();
                    eprintln!("{}", database.report());
                    break;
                }
            }
        }
        other => panic!("unknown action {other:?}"),
    }
    Ok::<(), ManagedDaemonError>(())
}

const ORDERS: &str = "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);
    CREATE VIEW earliest AS SELECT min(id) AS earliest_id FROM orders;";
const EXCHANGES: &str = r#"{"exchanges": [{"vhost": "/", "name": "orders", "type": "topic", "durable": true,
    "auto_delete": false, "internal": false, "arguments": {}}]}"#;

fn add_order(database: &PostgresDatabase) -> Result<()> {
    let path = format!("ALTER DATABASE {} SET search_path = shop, public", database.database());
    database.query(&path)?;
    database.query("INSERT INTO orders VALUES (2)").map(drop)
}

fn leave_as_it_is(_: &MySqlDatabase) {}

/// Declares an exchange and a queue, and binds them.
fn declare(host: &RabbitMqVirtualHost) -> std::result::Result<(), String> {
    let api = format!("{}api", host.management_url().ok_or("no API")?);
    let name = host.virtual_host();
    let account = format!("{}:{}", host.username(), host.password());
    for (method, path, body) in [
        (
            "PUT",
            format!("exchanges/{name}/orders"),
            r#"{"type": "fanout", "durable": true, "internal": true}"#,
        ),
        (
            "PUT",
            format!("exchanges/{name}/entry"),
            r#"{"type": "fanout", "durable": true}"#,
        ),
        ("PUT", format!("queues/{name}/jobs"), r#"{"durable": true}"#),
        ("POST", format!("bindings/{name}/e/orders/q/jobs"), "{}"),
        ("POST", format!("bindings/{name}/e/entry/e/orders"), "{}"),
        (
            "PUT",
            format!("policies/{name}/short"),
            r#"{"pattern": "^jobs$", "definition": {"max-length": 9}}"#,
        ),
    ] {
        let asked = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--user",
                &account,
                "--request",
                method,
            ])
            .args(["--header", "Content-Type: application/json", "--data", body])
            .arg(format!("{api}/{path}"))
            .output();
        let output = asked.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{path}: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(())
}

fn make_marks(database: &PostgresDatabase) -> Result<()> {
    database.query("CREATE TABLE marks (pid int)").map(drop)
}

fn make_marks_when_told(database: &PostgresDatabase) -> Result<()> {
    println!("preparing");
    wait();
    make_marks(database)
}

/// Prints a part's URL, and closes it, one a line.
fn show<P>(part: P, url: fn(&P) -> String, close: fn(P) -> Result<()>) -> Result<()> {
    println!("{}", url(&part));
    wait();
    close(part)?;
    println!("closed");
    wait();
    Ok(())
}

/// Waits for a line, or the end of standard input.
fn wait() {
    let mut byte = [0];
    while matches!(stdin().read(&mut byte), Ok(1)) && byte != *b"\n" {}
}

//! Daemons that are started again in what was kept of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use managed_daemons::{
    with_apache, with_mysql, with_nginx, with_postgres, with_rabbitmq, with_redis, ApacheDaemon, ManagedDaemonError,
    MySqlDaemon, NginxDaemon, PostgresDaemon, RabbitMqDaemon, RedisDaemon,
};
use nix::unistd::geteuid;

use super::{failing, fails, kept_of};
use crate::support::{assert_nothing_left, private_root};

const TESTS: &str = "reopen::tests_that_fail_on_demand";
/// For a URL, a configuration file and a command line alike.
const PASSWORD: &str = r#"pass:word\ "'$#@/"#;

mod tests_that_fail_on_demand {
    use super::*;

    #[with_redis(password(PASSWORD))]
    #[test]
    fn redis(redis: RedisDaemon) {
        let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        redis::cmd("SET").arg("name").arg("text").exec(&mut connection).unwrap();
        assert!(!fails());
    }

    /// While it is working, with what no checkpoint has written yet.
    #[with_postgres(password(PASSWORD), database("shop"))]
    #[test]
    fn postgres(postgres: PostgresDaemon) {
        postgres
            .query("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
            .unwrap();
        assert!(!fails());
    }

    #[with_mysql(username("app"), password(PASSWORD), env("TZ", "Asia/Tokyo"))]
    #[test]
    fn mysql(mysql: MySqlDaemon) {
        crate::mysql::run(&mysql.url(), "CREATE TABLE orders AS SELECT 7 AS id").unwrap();
        assert!(!fails());
    }

    #[with_rabbitmq(password(PASSWORD), management())]
    #[test]
    fn rabbitmq(rabbit: RabbitMqDaemon) {
        let declared =
            r#"{"queues": [{"name": "jobs", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}]}"#;
        rabbit.import_definitions(declared).unwrap();
        assert!(!fails());
    }

    #[with_nginx]
    #[test]
    fn nginx(nginx: NginxDaemon) {
        std::fs::write(nginx.document_root().join("name.txt"), "text").unwrap();
        assert!(!fails());
    }

    #[with_apache]
    #[test]
    fn apache(apache: ApacheDaemon) {
        std::fs::write(apache.document_root().join("name.txt"), "text").unwrap();
        assert!(!fails());
    }
}

pub(super) fn fail_all(root: &Path, kept: &Path) {
    failing(&format!("{TESTS}::"), root, kept);
    assert_nothing_left(root);
}

pub(super) fn dir(kept: &Path, daemon: &str) -> std::path::PathBuf {
    kept_of(kept, &format!("{TESTS}::{daemon}"), daemon)
}

fn page(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /name.txt HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn every_daemon_is_as_it_was() {
    let (root, kept) = (private_root(), private_root());
    fail_all(root.path(), kept.path());

    let dir_of_redis = dir(kept.path(), "redis");
    let redis = RedisDaemon::builder().reopen(&dir_of_redis).unwrap();
    assert_eq!(redis.password(), Some(PASSWORD));
    assert_eq!(crate::support::get(&redis, "name").unwrap().unwrap(), "text");
    // The port is free for whoever takes it now, and the daemon gets another.
    let port = redis.port();
    redis.close().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let redis = RedisDaemon::builder().reopen(&dir_of_redis).unwrap();
    assert_ne!(redis.port(), port);
    assert_eq!(crate::support::get(&redis, "name").unwrap().unwrap(), "text");
    drop((redis, taken));
    assert!(dir_of_redis.is_dir());

    let postgres = PostgresDaemon::builder().reopen(dir(kept.path(), "postgres")).unwrap();
    assert_eq!(
        postgres.query("SELECT count(*) FROM orders").unwrap(),
        [[Some("1000".to_owned())]]
    );
    let log = postgres.log().unwrap();
    assert!(log.contains("database system was not properly shut down"), "{log}");

    let mysql = MySqlDaemon::builder().reopen(dir(kept.path(), "mysql")).unwrap();
    let count = crate::mysql::one(&mysql.url(), "SELECT CAST(id AS CHAR) FROM orders").unwrap();
    assert_eq!(count, "7");
    let environment = std::fs::read(format!("/proc/{}/environ", mysql.pid().unwrap())).unwrap();
    assert!(String::from_utf8_lossy(&environment).contains("TZ=Asia/Tokyo"));

    let rabbit = RabbitMqDaemon::builder().reopen(dir(kept.path(), "rabbitmq")).unwrap();
    let queues = rabbit.eval("[Name || {resource, _, queue, Name} <- rabbit_amqqueue:list_names()].");
    assert_eq!(queues.unwrap(), "[<<\"jobs\">>]");

    let nginx = NginxDaemon::builder().reopen(dir(kept.path(), "nginx")).unwrap();
    assert!(page(nginx.port()).ends_with("text"));
    let apache = ApacheDaemon::builder().reopen(dir(kept.path(), "apache")).unwrap();
    assert!(page(apache.port()).ends_with("text"));
}

/// A process that is being spawned has a copy of every descriptor until it executes its program, also
/// of those that lock a directory.
#[test]
fn a_daemon_is_started_again_though_processes_are_being_spawned() {
    let (root, kept) = (private_root(), private_root());
    failing(&format!("{TESTS}::redis"), root.path(), kept.path());
    let dir = dir(kept.path(), "redis");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // With a user, the standard library forks, which takes longer.
                    let mut command = Command::new("true");
                    command.uid(geteuid().as_raw()).status().unwrap();
                }
            });
        }
        let outcomes: Vec<_> = (0..30).map(|_| RedisDaemon::builder().reopen(&dir)?.close()).collect();
        done.store(true, Ordering::Relaxed);
        outcomes.into_iter().for_each(Result::unwrap);
    });
}

/// As an archive leaves it, which knows neither owners nor modes.
#[test]
fn a_copy_that_everybody_may_read_is_made_private() {
    let (root, kept) = (private_root(), private_root());
    failing(&format!("{TESTS}::postgres"), root.path(), kept.path());
    let status = std::process::Command::new("chmod")
        .args(["-R", "a+rX"])
        .arg(dir(kept.path(), "postgres"))
        .status();
    assert!(status.unwrap().success());
    let postgres = PostgresDaemon::builder().reopen(dir(kept.path(), "postgres")).unwrap();
    assert_eq!(
        postgres.query("SELECT count(*) FROM orders").unwrap(),
        [[Some("1000".to_owned())]]
    );
}

#[test]
fn what_is_no_kept_daemon_is_refused() {
    let root = private_root();
    let refused = |error: ManagedDaemonError| error.report();
    let missing = refused(RedisDaemon::builder().reopen(root.path().join("missing")).unwrap_err());
    assert!(missing.contains("service.json`: is not there"), "{missing}");
    let redis = RedisDaemon::builder()
        .working_dir(root.path().join("mine"))
        .start()
        .unwrap();
    let running = refused(RedisDaemon::builder().reopen(redis.working_dir()).unwrap_err());
    assert!(running.contains("has a daemon that still runs"), "{running}");
    redis.stop().unwrap();
    let in_use = refused(RedisDaemon::builder().reopen(redis.working_dir()).unwrap_err());
    assert!(in_use.contains("is in use by another handle"), "{in_use}");
    redis.start_if_not_running().unwrap();
    let dir = redis.detach().unwrap();
    let running = refused(RedisDaemon::builder().reopen(&dir).unwrap_err());
    assert!(running.contains("has a daemon that still runs"), "{running}");
    // A directory that only looks like one is left as it is.
    let other = root.path().join("other");
    std::fs::create_dir_all(other.join("data")).unwrap();
    std::fs::set_permissions(other.join("data"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(other.join("service.json"), "{}").unwrap();
    let foreign = refused(RedisDaemon::builder().reopen(&other).unwrap_err());
    assert!(foreign.contains("was not written by this crate"), "{foreign}");
    let found = other.join("data").metadata().unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o755);
    RedisDaemon::load(dir).unwrap().close().unwrap();
}

//! The options of the other daemons, as a user types them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{refusal, write, Session};
use crate::mysql::{block_on, one};
use crate::redis::options::compile_module;
use crate::support::private_root;

fn is_let_in(url: &str) -> bool {
    block_on(lapin::Connection::connect(url, Default::default())).is_ok()
}

/// What a web server has at this path.
fn page(url: &str) -> String {
    let answer = ureq::get(url).call().unwrap();
    answer.into_body().read_to_string().unwrap()
}

#[test]
fn mariadb_takes_its_options() {
    let files = private_root();
    let config = write(files.path(), "my.cnf", "[mysqld]\nmax_connections = 77\n");
    let init = write(files.path(), "init.sql", "CREATE TABLE item AS SELECT 7 AS id;\n");
    let words = [
        "mysql",
        "--flavor",
        "mariadb",
        "--user",
        "app",
        "--password",
        "s3cret",
        "--database",
        "shop",
    ];
    let more = [
        "--set",
        "wait_timeout=4321",
        "--config",
        &config,
        "--init",
        &init,
        "--plugin",
        "server_audit",
    ];
    let session = Session::start(&[&words[..], &more].concat());
    let url = session.var("DATABASE_URL");
    let port = session.var("MYSQL_TCP_PORT");
    assert_eq!(url, format!("mysql://app:s3cret@127.0.0.1:{port}/shop"));
    assert!(one(url, "SELECT version()").unwrap().contains("MariaDB"));
    assert_eq!(
        one(url, "SELECT CONCAT(SUBSTRING_INDEX(user(), '@', 1), ' ', database())").unwrap(),
        "app shop"
    );
    assert_eq!(one(url, "SELECT CAST(@@global.wait_timeout AS char)").unwrap(), "4321");
    assert_eq!(one(url, "SELECT CAST(@@max_connections AS char)").unwrap(), "77");
    assert_eq!(one(url, "SELECT CAST(id AS char) FROM item").unwrap(), "7");
    let plugin = "SELECT plugin_status FROM information_schema.plugins WHERE plugin_name = 'SERVER_AUDIT'";
    assert_eq!(one(url, plugin).unwrap(), "ACTIVE");
    assert_eq!(
        (session.var("MYSQL_HOST"), session.var("MYSQL_PWD")),
        ("127.0.0.1", "s3cret")
    );
    assert_eq!(session.var("MYSQL_UNIX_PORT"), session.var("MYSQL_SOCKET"));
    session.end();
}

#[test]
fn mariadb_loads_a_directory_and_needs_no_password() {
    let files = private_root();
    write(files.path(), "2_fill.sql", "INSERT INTO item VALUES (8);\n");
    write(files.path(), "1_make.sql", "CREATE TABLE item (id int);\n");
    let dir = files.path().to_str().unwrap();
    let session = Session::start_with(&["mariadb", "--without-password", "--init", dir], |command| {
        command.env("MYSQL_PWD", "old");
    });
    assert!(!session.has("MYSQL_PWD") && !session.has("MARIADB_PASSWORD"));
    let url = session.var("MARIADB_URL");
    assert_eq!(one(url, "SELECT CAST(id AS char) FROM item").unwrap(), "8");
    session.end();
}

#[test]
fn rabbitmq_takes_its_options() {
    let files = private_root();
    let config = write(files.path(), "rabbitmq.conf", "heartbeat = 77\n");
    let words = [
        "rabbitmq",
        "--user",
        "app",
        "--password",
        "s3cret",
        "--database",
        "shop",
        "--start-timeout",
        "120",
    ];
    let more = [
        "--set",
        "channel_max=123",
        "--config",
        &config,
        "--plugin",
        "rabbitmq_management",
    ];
    let session = Session::start(&[&words[..], &more, &["--env", "PAGE={rabbitmq.port:management}"]].concat());
    let url = session.var("AMQP_URL");
    assert_eq!(
        url,
        format!("amqp://app:s3cret@127.0.0.1:{}/shop", session.var("RABBITMQ_PORT"))
    );
    assert_eq!(session.var("RABBITMQ_DATABASE"), "shop");
    let connection = block_on(lapin::Connection::connect(url, Default::default())).unwrap();
    let tuned = (
        connection.configuration().channel_max(),
        connection.configuration().heartbeat(),
    );
    assert_eq!(tuned, (123, 77));
    assert!(!is_let_in(&url.replace("s3cret", "wrong")));
    let overview = format!("http://127.0.0.1:{}/api/overview", session.var("PAGE"));
    assert!(matches!(ureq::get(&overview).call(), Err(ureq::Error::StatusCode(401))));
    drop(connection);
    session.end();
}

#[test]
fn rabbitmq_loads_definitions() {
    let files = private_root();
    let queue = r#"{"queues": [{"vhost": "/", "name": "jobs", "durable": true, "auto_delete": false,
        "arguments": {}}]}"#;
    let init = write(files.path(), "definitions.json", queue);
    let session = Session::start(&["rabbitmq", "--start-timeout", "120", "--init", &init]);
    let url = session.var("AMQP_URL").to_owned();
    block_on(async {
        let connection = lapin::Connection::connect(&url, Default::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = lapin::options::QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        channel
            .queue_declare("jobs", options, Default::default())
            .await
            .unwrap();
    });
    session.end();
}

/// What memcached answers to this command, up to `END`.
fn memcached_lines(session: &Session, command: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(session.var("MEMCACHE_SERVERS")).unwrap();
    write!(stream, "{command}\r\n").unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| line != "END").collect()
}

/// The directory of memcached's process in `/proc`.
fn memcached_process(session: &Session) -> PathBuf {
    let lines = memcached_lines(session, "stats");
    let pid = lines.iter().find_map(|line| line.strip_prefix("STAT pid ")).unwrap();
    Path::new("/proc").join(pid)
}

fn environment_of(process: &Path) -> Vec<String> {
    let environment = fs::read(process.join("environ")).unwrap();
    let entries = environment.split(|byte| *byte == 0);
    entries
        .map(|entry| String::from_utf8_lossy(entry).into_owned())
        .collect()
}

#[test]
fn memcached_takes_its_options() {
    let files = private_root();
    let config = write(files.path(), "memcached.conf", "-c 77\n-t 2\n");
    let session = Session::start(&["memcached", "--set", "c=79", "--config", &config]);
    let servers = session.var("MEMCACHE_SERVERS");
    assert_eq!(session.var("MEMCACHED_URL"), format!("memcache://{servers}"));
    let settings = memcached_lines(&session, "stats settings");
    for expected in ["STAT maxconns 79", "STAT num_threads 2"] {
        assert!(settings.iter().any(|line| line == expected), "{settings:#?}");
    }
    session.end();
}

#[test]
fn the_daemons_program_and_its_environment_can_be_chosen() {
    let files = private_root();
    let first = Session::start(&["memcached"]);
    let process = memcached_process(&first);
    let program = fs::read_link(process.join("exe")).unwrap();
    // A fetched program may need its own libraries.
    let libraries = environment_of(&process).into_iter();
    let libraries: String = libraries
        .filter(|entry| entry.starts_with("LD_LIBRARY_PATH="))
        .map(|entry| format!("export '{entry}'\n"))
        .collect();
    first.end();
    let script = format!(
        "#!/bin/sh\n{libraries}export CHOSEN=yes\nexec '{}' \"$@\"\n",
        program.display()
    );
    let path = write(files.path(), "my-memcached", &script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let value = "a b'\"%$x{y}=\n";
    let words = [
        "memcached",
        "--binary",
        &path,
        "--start-timeout",
        "99.5",
        "--daemon-env",
    ];
    let session = Session::start(&[&words[..], &[&format!("HOSTILE={value}")]].concat());
    let environment = environment_of(&memcached_process(&session));
    for expected in ["CHOSEN=yes", &format!("HOSTILE={value}")] {
        assert!(environment.iter().any(|entry| entry == expected), "{environment:#?}");
    }
    session.end();
}

#[test]
fn web_servers_serve_a_directory() {
    let files = private_root();
    let dir = files.path().join("public");
    fs::create_dir(&dir).unwrap();
    write(&dir, "page.txt", "a page");
    let dir = dir.to_str().unwrap();
    let words = [
        "nginx", "--serve", dir, "httpd", "--serve", dir, "--tls", "--plugin", "headers",
    ];
    let session = Session::start(&[&words[..], &["--env", "CA={httpd.ca}", "--env", "NGINX={nginx.url}"]].concat());
    for name in ["NGINX", "HTTPD_URL"] {
        let url = session.var(name).replace("https://", "http://");
        let url = url.trim_end_matches('/');
        if session.var(name).starts_with("http://") {
            assert_eq!(page(&format!("{url}/page.txt")), "a page", "{name}");
        }
    }
    assert!(fs::read_to_string(session.var("CA"))
        .unwrap()
        .starts_with("-----BEGIN CERTIFICATE-----"));
    session.end();
}

#[test]
fn web_servers_take_the_configuration_of_a_user() {
    let files = private_root();
    let nginx = "server { listen 80; location / { return 200 'from nginx'; } }\n";
    let nginx = write(files.path(), "nginx.conf", nginx);
    let apache = "<VirtualHost *:80>\nRedirect 404 /gone\nErrorDocument 404 \"from apache\"\n</VirtualHost>\n";
    let apache = write(files.path(), "apache.conf", apache);
    let session = Session::start(&["nginx", "--config", &nginx, "apache", "--config", &apache]);
    assert_eq!(page(session.var("NGINX_URL")), "from nginx");
    let gone = format!("{}/gone", session.var("APACHE_URL").trim_end_matches('/'));
    assert!(matches!(ureq::get(&gone).call(), Err(ureq::Error::StatusCode(404))));
    session.end();
}

#[test]
fn a_module_of_redis_is_a_path() {
    let files = private_root();
    let module = compile_module(files.path(), "it's a \"module\".so");
    let session = Session::start(&["redis".as_ref(), "--plugin".as_ref(), module.as_os_str()]);
    let modules: redis::Value = redis::cmd("MODULE").arg("LIST").query(&mut session.redis()).unwrap();
    assert!(format!("{modules:?}").contains("module"), "{modules:?}");
    session.end();
}

#[test]
fn valkey_is_found_as_redis_is() {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let suite = match release.contains("VERSION_CODENAME=bookworm") {
        true => "trixie",
        false => "",
    };
    let session = Session::start(&["valkey", "--suite", suite, "--password", "s3cret"]);
    assert_eq!(session.var("REDIS_URL"), session.var("VALKEY_URL"));
    assert_eq!(session.var("VALKEYCLI_AUTH"), "s3cret");
    let info: String = redis::cmd("INFO").arg("server").query(&mut session.redis()).unwrap();
    assert!(info.contains("server_name:valkey"), "{info}");
    session.end();
}

#[test]
fn an_option_that_a_daemon_lacks_is_an_error_that_lists_those_that_it_has() {
    let of_redis = "binary, config, daemon-env, init, password, plugin, port, set, start-timeout, suite, version, \
                    without-password, working-dir";
    let of_memcached = "binary, config, daemon-env, port, set, start-timeout, suite, version, working-dir";
    let of_nginx = "binary, config, daemon-env, plugin, port, serve, start-timeout, suite, tls, version, working-dir";
    for (daemon, option, has) in [
        ("redis", "user", of_redis),
        ("redis", "database", of_redis),
        ("redis", "serve", of_redis),
        ("memcached", "password", of_memcached),
        ("memcached", "init", of_memcached),
        ("nginx", "set", of_nginx),
    ] {
        assert_eq!(
            refusal(&[daemon, &format!("--{option}"), "s3cret", "--", "true"]),
            format!("{daemon} has no option `{option}`; it has {has}")
        );
    }
    let said = refusal(&["--serve", "/", "redis", "memcached", "--", "true"]);
    assert_eq!(said, "none of the daemons has an option `--serve`");
}

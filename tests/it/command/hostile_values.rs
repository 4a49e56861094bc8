//! Values with characters that have a meaning somewhere arrive as they are, or are one clear error.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use super::{postgres_one, redis_setting, refusal, run, text, Session};
use crate::mysql::{block_on, one};
use crate::support::private_root;

const HOSTILE: &str = "-a b'\"%41$HOME{x}{{`id`\\\n\té#@/:?&=\u{1}\r;~*!";
/// PostgreSQL takes no quotes, `$` and `\` in the name of who creates extensions.
const HOSTILE_NAME: &str = "-a b%41{x}{{`id`é#@/:?&=;~*!";
/// Without the end of a line.
const HOSTILE_LINE: &str = "-a b'\"%41$HOME{x}{{`id`\\é#@/:?&=;~*!";

#[test]
fn passwords_arrive_as_they_are() {
    for password in [
        HOSTILE,
        "--",
        "--user",
        " ",
        "\\",
        "'",
        "\"",
        "{redis.port}",
        "=",
        "%",
        "\n",
    ] {
        let session = Session::start(&["redis", "--password", password]);
        for name in ["REDIS_PASSWORD", "REDISCLI_AUTH", "VALKEYCLI_AUTH"] {
            assert_eq!(session.var(name), password);
        }
        assert_eq!(redis_setting(&mut session.redis(), "requirepass"), password);
        session.end();
    }
}

#[test]
fn names_and_passwords_of_postgres_arrive_as_they_are() {
    let words = [
        "postgres",
        "--user",
        HOSTILE_NAME,
        "--database",
        HOSTILE_LINE,
        "--password",
        HOSTILE,
    ];
    let session = Session::start(&words);
    let url = session.var("DATABASE_URL");
    let names = postgres_one(url, "SELECT current_user || '|' || current_database()");
    assert_eq!(names.unwrap(), format!("{HOSTILE_NAME}|{HOSTILE_LINE}"));
    let names = ["PGUSER", "PGDATABASE", "PGPASSWORD"];
    assert_eq!(
        names.map(|name| session.var(name)),
        [HOSTILE_NAME, HOSTILE_LINE, HOSTILE]
    );
    let (account, rest) = url.split_once('@').unwrap();
    let (user, _) = account.rsplit_once(':').unwrap();
    let wrong = format!("{user}:wrong@{rest}");
    assert!(postgres_one(&wrong, "SELECT ''").is_err());
    if let Ok(output) = psql(&session, "SELECT current_user") {
        assert_eq!(text(&output.stdout), format!("{HOSTILE_NAME}\n"), "{output:?}");
    }
    session.end();
}

/// What the client says that finds the server through its variables alone, if it is there.
fn psql(session: &Session, sql: &str) -> std::io::Result<std::process::Output> {
    let variables = session.variables.iter().filter(|(name, _)| name.starts_with("PG"));
    let mut command = Command::new("psql");
    command.args(["-XAtc", sql]).envs(variables).output()
}

#[test]
fn names_and_passwords_of_mariadb_arrive_as_they_are() {
    let words = [
        "mariadb",
        "--user",
        "-a'\"%$x{y}\\`é",
        "--database",
        HOSTILE_LINE,
        "--password",
        HOSTILE,
    ];
    let session = Session::start(&words);
    let url = session.var("DATABASE_URL");
    let user = one(url, "SELECT SUBSTRING_INDEX(user(), '@', 1)").unwrap();
    assert_eq!(
        (&*user, session.var("MARIADB_USER")),
        ("-a'\"%$x{y}\\`é", "-a'\"%$x{y}\\`é")
    );
    assert_eq!(one(url, "SELECT database()").unwrap(), HOSTILE_LINE);
    assert_eq!(
        (session.var("MYSQL_PWD"), session.var("MARIADB_DATABASE")),
        (HOSTILE, HOSTILE_LINE)
    );
    session.end();
}

#[test]
fn names_and_passwords_of_rabbitmq_arrive_as_they_are() {
    let words = [
        "rabbitmq",
        "--user",
        HOSTILE,
        "--database",
        HOSTILE_LINE,
        "--password",
        HOSTILE,
    ];
    let session = Session::start(&[&words[..], &["--start-timeout", "120"]].concat());
    let url = session.var("AMQP_URL");
    let connected = block_on(lapin::Connection::connect(url, Default::default()));
    assert!(connected.is_ok(), "{url}: {connected:?}");
    let names = ["RABBITMQ_USER", "RABBITMQ_DATABASE", "RABBITMQ_PASSWORD"];
    assert_eq!(names.map(|name| session.var(name)), [HOSTILE, HOSTILE_LINE, HOSTILE]);
    session.end();
}

#[test]
fn settings_and_lines_arrive_as_they_are_or_are_errors() {
    let session = Session::start(&["redis", "--set", "dbfilename='a \"b%$x{y}.rdb'"]);
    assert_eq!(redis_setting(&mut session.redis(), "dbfilename"), "a \"b%$x{y}.rdb");
    session.end();
    let session = Session::start(&["postgres", "--set", "application_name=it's \"so\" %$x{y}=-\\"]);
    let value = postgres_one(session.var("DATABASE_URL"), "SHOW application_name").unwrap();
    assert_eq!(value, "it's \"so\" %$x{y}=-\\");
    session.end();
    for (words, expected) in [
        (
            ["redis", "--set", "maxmemory=8mb\nport 1"],
            "redis: redis did not start: option `--set`: the value of `maxmemory` contains a line break",
        ),
        (
            ["redis", "--set", "a b=c"],
            "redis: redis did not start: option `--set`: \"a b\" is not the name of a setting: letters, digits and \
             any of `._-*` only",
        ),
        (
            ["postgres", "--hba", "local all all trust\nhost all all all trust"],
            "postgres: postgres did not start: option `--hba`: must be one line; use `--hba` again for another",
        ),
        (
            ["postgres", "--user", "a'b"],
            "postgres: postgres did not start: option `--user`: \"a'b\" contains a character (of \" $ ' \\) that \
             PostgreSQL refuses in the owner of its extensions",
        ),
        (
            ["postgres", "--user", "a\nb"],
            "postgres: postgres did not start: option `--user`: \"a\\nb\" contains NUL or the end of a line, which \
             PostgreSQL refuses in names",
        ),
    ] {
        assert_eq!(refusal(&[&words[..], &["--", "true"]].concat()), expected);
    }
}

#[test]
fn paths_may_have_any_name() {
    let files = private_root();
    let odd = OsString::from_vec(b"-it's a \"%$x{y}\n\xff".to_vec());
    let dir = files.path().join(&odd);
    fs::create_dir(&dir).unwrap();
    let (config, init) = (dir.join("redis.conf"), dir.join("init.redis"));
    fs::write(&config, "maxclients 77\n").unwrap();
    fs::write(&init, "SET greeting hello\n").unwrap();
    let words = ["redis".into(), "--config".into(), config, "--init".into(), init];
    let session = Session::start(&words);
    let mut connection = session.redis();
    assert_eq!(redis_setting(&mut connection, "maxclients"), "77");
    let greeting: String = redis::cmd("GET").arg("greeting").query(&mut connection).unwrap();
    assert_eq!(greeting, "hello");
    session.end();
    // Relative, and so with a dash at the beginning.
    fs::write(dir.join("init.sql"), "CREATE TABLE item AS SELECT 7 AS id;\n").unwrap();
    let words = ["postgres".into(), "--init".into(), odd];
    let session = Session::start_with(&words, |command| {
        command.current_dir(files.path());
    });
    let id = postgres_one(session.var("DATABASE_URL"), "SELECT id::text FROM item");
    assert_eq!(id.unwrap(), "7");
    session.end();
}

#[test]
fn an_empty_value_is_an_error_that_names_the_option() {
    for (daemon, option, expected) in [
        (
            "redis",
            "password",
            "option `--password`: the password may neither be empty nor contain NUL",
        ),
        (
            "postgres",
            "password",
            "option `--password`: the password may neither be empty nor contain NUL",
        ),
        ("postgres", "user", "option `--user`: \"\" is empty"),
        ("postgres", "database", "option `--database`: \"\" is empty"),
        ("postgres", "extension", "option `--extension`: \"\" is empty"),
        ("mariadb", "user", "option `--user`: \"\" can't be a name"),
        ("rabbitmq", "password", "option `--password`: may not be empty"),
        ("rabbitmq", "database", "option `--database`: \"\" should have"),
        ("redis", "config", "could not read the configuration file ``"),
        ("redis", "version", "option `--version`: `` is not a version"),
        ("redis", "working-dir", "could not find the working directory ``"),
        ("redis", "binary", "the path given, ``: not there"),
        ("redis", "daemon-env", "`--daemon-env` is not of the form KEY=VALUE"),
        ("redis", "start-timeout", "`--start-timeout` is not a number of seconds"),
        (
            "redis",
            "port",
            "`--port` is not a port: ports are numbers from 1 to 65535",
        ),
        (
            "mysql",
            "flavor",
            "`--flavor` is no flavor: there are `mysql` and `mariadb`",
        ),
        ("nginx", "serve", "option `--serve`: "),
    ] {
        let said = refusal(&[daemon, &format!("--{option}"), "", "--", "true"]);
        assert!(
            said.starts_with(&format!("{daemon}: ")) && said.contains(expected),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_utf_8_is_an_error_where_it_has_to_be_text() {
    let odd = OsString::from_vec(b"s3cret\xff".to_vec());
    for (daemon, option, shown) in [
        ("redis", "password", "…"),
        ("postgres", "user", "s3cret\u{fffd}"),
        ("redis", "version", "s3cret\u{fffd}"),
    ] {
        let words = [
            daemon.into(),
            format!("--{option}").into(),
            odd.clone(),
            "--".into(),
            "true".into(),
        ];
        assert_eq!(
            refusal::<OsString>(&words),
            format!("{daemon}: `--{option} {shown}` is not UTF-8")
        );
    }
}

#[test]
fn errors_do_not_show_passwords() {
    for words in [
        &["redis", "--password", "s3cret", "--set", "nonsense=1", "--", "true"][..],
        &["redis", "--password", "s3cret", "--port", "x", "--", "true"],
        &["redis", "--set", "requirepass=s3cret", "--", "true"],
        &["memcached", "--password", "s3cret", "--", "true"],
        &["--password", "s3cret", "memcached", "--", "true"],
        &["postgres", "--password", "s3cret", "--set", "nonsense=1", "--", "true"],
        &["mariadb", "--password", "s3cret", "--set", "nonsense=1", "--", "true"],
        &["redis", "--password", "s3cret", "--env", "A={nonsense}", "--", "true"],
        &["redis", "--env", "A=s3cret{nonsense}", "--", "true"],
        &["redis", "--env", "A-B=s3cret", "--", "true"],
        &["redis", "--password", "s3cret", "--", "nonsense"],
    ] {
        let output = run(words);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(
            !output.status.success() && !said.contains("s3cret"),
            "{words:?}: {said}"
        );
    }
}

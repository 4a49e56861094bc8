//! The variables that a command finds its daemons by.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{connect, printed, refusal, run_in, text, Session};
use crate::support::{assert_nothing_left, private_root};

const HOSTILE: &str = "a b'\"%41$HOME{x}`id`\\\n\té#&!";

#[test]
fn daemons_of_one_kind_have_names() {
    let session = Session::start(&["cache=redis", "job-queue=redis"]);
    let urls = [session.var("CACHE_URL"), session.var("JOB_QUEUE_URL")];
    assert_ne!(urls[0], urls[1]);
    assert_eq!(session.var("REDIS_URL"), urls[0]);
    for (url, name) in urls.iter().zip(["CACHE", "JOB_QUEUE"]) {
        let [host, port] = ["HOST", "PORT"].map(|fact| session.var(&format!("{name}_{fact}")));
        let password = session.var(&format!("{name}_PASSWORD"));
        assert_eq!(*url, format!("redis://:{password}@{host}:{port}/"));
        let () = redis::cmd("SET")
            .arg("name")
            .arg(name)
            .query(&mut connect(url))
            .unwrap();
    }
    for (url, name) in urls.iter().zip(["CACHE", "JOB_QUEUE"]) {
        let found: String = redis::cmd("GET").arg("name").query(&mut connect(url)).unwrap();
        assert_eq!(found, name);
    }
    session.end();
}

#[test]
fn daemons_of_several_kinds_have_their_own_variables() {
    let session = Session::start(&["postgres", "redis", "memcached", "db=mariadb"]);
    assert_eq!(session.var("DATABASE_URL"), session.var("POSTGRES_URL"));
    assert!(session.var("DB_URL").starts_with("mysql://root:"));
    assert_eq!(session.var("PGPORT"), session.var("POSTGRES_PORT"));
    assert_eq!(session.var("MYSQL_TCP_PORT"), session.var("DB_PORT"));
    let servers = format!("{}:{}", session.var("MEMCACHED_HOST"), session.var("MEMCACHED_PORT"));
    assert_eq!(session.var("MEMCACHE_SERVERS"), servers);
    assert!(session.var("REDIS_URL").starts_with("redis://:"));
    session.end();
}

#[test]
fn variables_that_lead_elsewhere_are_unset() {
    let session = Session::start_with(&["postgres", "redis", "--without-password"], |command| {
        for name in [
            "PGHOSTADDR",
            "PGSERVICE",
            "PGSSLMODE",
            "PGOPTIONS",
            "REDIS_USER",
            "REDIS_PASSWORD",
        ] {
            command.env(name, "elsewhere");
        }
    });
    let left: Vec<_> = session
        .variables
        .iter()
        .filter(|(_, value)| *value == "elsewhere")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    session.end();
}

#[test]
fn placeholders_are_filled_in() {
    let session = Session::start(&[
        "my-pg=postgres",
        "--password",
        HOSTILE,
        "redis",
        "--env",
        "BOTH={my-pg.url} {redis.port}{redis.port}",
        "--env",
        "PASSWORD={my-pg.password}",
        "--env",
        "JSON={\"port\": {redis.port}, \"a\": {}} {{redis.port}",
        "--env",
        "REDIS_URL=mine",
        "--env",
        "EMPTY=",
        "--env",
        "HOSTILE=a b'\"%41$HOME{{x}`id`\\\n\té#&!",
        "--env",
        "DIR={redis.dir}",
    ]);
    let (url, port) = (session.var("MY_PG_URL"), session.var("REDIS_PORT"));
    assert_eq!(session.var("BOTH"), format!("{url} {port}{port}"));
    assert_eq!(session.var("PASSWORD"), HOSTILE);
    assert_eq!(
        session.var("JSON"),
        format!("{{\"port\": {port}, \"a\": {{}}}} {{redis.port}}")
    );
    assert_eq!((session.var("REDIS_URL"), session.var("EMPTY")), ("mine", ""));
    assert_eq!(session.var("HOSTILE"), HOSTILE);
    assert!(std::path::Path::new(session.var("DIR")).join("service.json").is_file());
    session.end();
}

#[test]
fn an_unknown_placeholder_is_an_error_that_lists_the_known_ones() {
    assert_eq!(
        refusal(&["cache=redis", "web=memcached", "--env", "A=x{redis.url}", "--", "true"]),
        "`--env A=…`: there is no placeholder `{redis.url}`; there are `{cache.url}`, `{cache.host}`, `{cache.port}`, \
         `{cache.dir}`, `{cache.user}`, `{cache.password}`, `{cache.socket}`, `{web.url}`, `{web.host}`, `{web.port}`, \
         `{web.dir}`"
    );
}

#[test]
fn what_is_no_variable_is_an_error() {
    let rule = "can't be a variable: their names have letters, digits and `_`, and don't begin with a digit";
    for (typed, expected) in [
        ("1A=x", format!("`--env 1A=…`: \"1A\" {rule}")),
        ("=x", format!("`--env =…`: \"\" {rule}")),
        ("A-B=x", format!("`--env A-B=…`: \"A-B\" {rule}")),
        ("A", String::from("`--env A` is not of the form NAME=TEXT")),
    ] {
        assert_eq!(refusal(&["redis", "--env", typed, "--", "true"]), expected);
    }
}

#[test]
fn the_file_gives_a_shell_the_same_values() {
    let files = private_root();
    let file = files.path().join("it's env");
    let path = file.to_str().unwrap();
    for value in [
        HOSTILE,
        "",
        "'",
        "\"",
        "\\",
        "$HOME",
        "a'$HOME\\\"`id`",
        "#x",
        " x ",
        "-n",
        "~",
        "%",
        "a\nb'",
        "!",
    ] {
        let assigned = format!("VALUE={}", value.replace('{', "{{"));
        let words = [
            "redis",
            "--env-file",
            path,
            "--env",
            &assigned,
            "--env",
            "URL={redis.url}",
        ];
        let session = Session::start(&words);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(session.var("VALUE"), value);
        for shell in ["sh", "bash"] {
            let read = Command::new(shell)
                .args(["-c", "set -a; . \"$0\"; env -0", path])
                .env_clear()
                .env("PATH", session.var("PATH"))
                .output()
                .unwrap();
            let told = text(&read.stdout);
            for name in [
                "VALUE",
                "URL",
                "REDIS_URL",
                "REDIS_PASSWORD",
                "REDISCLI_AUTH",
                "REDIS_SOCKET",
            ] {
                let expected = format!("{name}={}", session.var(name));
                assert!(
                    told.split('\0').any(|entry| entry == expected),
                    "{shell}: {expected:?} in {told:?}"
                );
            }
        }
        session.end();
    }
}

#[test]
fn a_file_that_others_could_read_is_closed_to_them_and_emptied() {
    let files = private_root();
    let file = files.path().join("env");
    fs::write(&file, "OLD=1\n".repeat(1000)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(
        printed(&["redis", "--env-file", path, "--", "cat", path]),
        fs::read_to_string(&file).unwrap()
    );
    assert!(!fs::read_to_string(&file).unwrap().contains("OLD"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_can_not_be_written_is_an_error() {
    assert_eq!(
        refusal(&["redis", "--env-file", "/no/such/file", "--", "true"]),
        "the variables can't be written to `/no/such/file`: No such file or directory (os error 2)"
    );
}

#[test]
fn without_a_command_the_variables_are_printed_for_a_shell() {
    let root = private_root();
    let script = "eval \"$(cat)\"; printf '%s|%s|%s' \"$PGPASSWORD\" \"$PGSSLMODE\" \"$DATABASE_URL\"";
    let mut child = run_in(root.path())
        .args(["postgres", "--password", HOSTILE])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut said).unwrap();
    assert_eq!(
        said,
        "managed-daemons: the daemons run until Ctrl-C, SIGINT or SIGTERM\n"
    );
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let file = root.path().join("printed");
    fs::write(&file, &output.stdout).unwrap();
    let mut read = Command::new("sh");
    let read = read.args(["-c", script]).env("PGSSLMODE", "require");
    let output = read.stdin(fs::File::open(&file).unwrap()).output().unwrap();
    let values = text(&output.stdout);
    let url = values.strip_prefix(&format!("{HOSTILE}||")).unwrap();
    assert!(url.starts_with("postgresql://postgres:a%20b%27"), "{url}");
    fs::remove_file(&file).unwrap();
    assert_nothing_left(root.path());
}

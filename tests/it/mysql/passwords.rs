//! Nobody gets in without the password, at any moment.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use managed_daemons::{Daemon, ManagedDaemonError, MySql, MySqlBuilder, MySqlDaemon};

use super::{code, on_both_servers, one, run, ACCESS_DENIED};

on_both_servers!(
    root_needs_the_password_over_tcp_and_the_socket,
    no_built_in_account_is_open,
    nobody_gets_in_during_the_start,
    any_text_can_be_a_password,
    passwords_are_shown_nowhere,
    a_restart_keeps_passwords_that_a_test_has_changed,
);

/// The URL with other credentials.
fn url_with(daemon: &MySqlDaemon, socket: bool, credentials: &str) -> String {
    let url = if socket {
        daemon.root_unix_socket_url()
    } else {
        daemon.root_url()
    };
    let (_, rest) = url.split_once('@').unwrap();
    format!("mysql://{credentials}@{rest}")
}

fn root_needs_the_password_over_tcp_and_the_socket(server: fn() -> MySqlBuilder) {
    for daemon in [
        server().start().unwrap(),
        server().root_password("s3cret").start().unwrap(),
    ] {
        assert_eq!(
            one(&daemon.root_url(), "SELECT CURRENT_USER()").unwrap(),
            "root@localhost"
        );
        assert_eq!(
            one(&daemon.root_unix_socket_url(), "SELECT CURRENT_USER()").unwrap(),
            "root@localhost"
        );
        run(&daemon.root_url(), "CREATE DATABASE another").unwrap();
        for socket in [false, true] {
            for credentials in ["root:wrong", "root", "root:"] {
                let refused = run(&url_with(&daemon, socket, credentials), "SELECT 1");
                assert_eq!(code(refused), Some(ACCESS_DENIED), "{credentials} {socket}");
            }
            // MySQL may ask an unknown user to authenticate by a method that the client lacks.
            for credentials in ["nobody", ":"] {
                assert!(
                    run(&url_with(&daemon, socket, credentials), "SELECT 1").is_err(),
                    "{credentials} {socket}"
                );
            }
        }
        // MySQL caches the passwords of successful logins. A restart empties the cache.
        daemon.restart().unwrap();
        assert_eq!(
            code(run(&url_with(&daemon, true, "root"), "SELECT 1")),
            Some(ACCESS_DENIED)
        );
        assert_eq!(one(&daemon.root_url(), "SELECT 'in'").unwrap(), "in");
    }
}

fn no_built_in_account_is_open(server: fn() -> MySqlBuilder) {
    let daemon = server().start().unwrap();
    let accounts = one(
        &daemon.root_url(),
        "SELECT CONVERT(GROUP_CONCAT(DISTINCT user ORDER BY user SEPARATOR '/') USING utf8mb4) FROM mysql.user",
    )
    .unwrap();
    assert!(accounts.contains("root") && accounts.contains('/'), "{accounts}");
    for account in accounts.split('/') {
        for socket in [false, true] {
            assert!(
                code(run(&url_with(&daemon, socket, account), "SELECT 1")).is_some(),
                "{account}"
            );
        }
    }
}

fn nobody_gets_in_during_the_start(server: fn() -> MySqlBuilder) {
    let configured = server().configure().unwrap();
    let urls = [false, true].map(|socket| url_with(&configured, socket, "root"));
    let (started, refused) = (AtomicBool::new(false), AtomicU32::new(0));
    let daemon = std::thread::scope(|scope| {
        for url in &urls {
            let (started, refused) = (&started, &refused);
            scope.spawn(move || loop {
                let last = started.load(Ordering::SeqCst);
                match run(url, "SELECT 1") {
                    Ok(()) => panic!("root got in without a password"),
                    Err(error) => {
                        let denied = error.code == Some(ACCESS_DENIED);
                        refused.fetch_add(u32::from(denied), Ordering::SeqCst);
                    }
                }
                if last {
                    return;
                }
            });
        }
        let daemon = configured.start();
        started.store(true, Ordering::SeqCst);
        daemon.unwrap()
    });
    assert!(refused.into_inner() >= 2);
    drop(daemon);
}

/// Texts that have a meaning in a shell, an option file, SQL or a URL.
const AWKWARD: &[&str] = &[
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "#",
    "-- ",
    ";",
    "a;\nDROP DATABASE test;\n",
    "\r\n# x",
    "\t",
    " ",
    "%",
    "@:/?&=",
    "$(id)",
    "ü",
    "🦀",
    "\u{1a}",
    "${HOME}",
    "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
];

fn any_text_can_be_a_password(server: fn() -> MySqlBuilder) {
    let mut builder = server().root_password(AWKWARD.concat());
    for (at, password) in AWKWARD.iter().enumerate() {
        builder = builder.extra_user(format!("user{at}"), *password);
    }
    let daemon = builder.start().unwrap();
    assert_eq!(daemon.root_password(), Some(&*AWKWARD.concat()));
    assert_eq!(one(&daemon.root_url(), "SELECT DATABASE()").unwrap(), "test");
    assert_eq!(
        one(&daemon.root_unix_socket_url(), "SELECT DATABASE()").unwrap(),
        "test"
    );
    for (at, password) in AWKWARD.iter().enumerate() {
        let options = sqlx::mysql::MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(daemon.port())
            .username(&format!("user{at}"))
            .password(password);
        let connected = super::block_on(sqlx::ConnectOptions::connect(&options));
        assert!(connected.is_ok(), "{password:?}: {:?}", connected.err());
        let close = options.password(&format!("{password}x"));
        let refused = super::block_on(sqlx::ConnectOptions::connect(&close));
        let refused = refused.map_err(super::Refused::from);
        assert_eq!(code(refused), Some(ACCESS_DENIED), "{password:?}");
    }
    daemon.restart().unwrap();
    assert_eq!(one(&daemon.url(), "SELECT 'in'").unwrap(), "in");
}

fn passwords_are_shown_nowhere(server: fn() -> MySqlBuilder) {
    let builder = server()
        .root_password("r00t-s3cret")
        .username("app")
        .password("4pp-s3cret");
    let shown = format!("{builder:?}");
    let daemon = builder.start().unwrap();
    let shown = shown + &format!("{daemon:?}") + &format!("{:?}", &*daemon);
    let process = Path::new("/proc").join(daemon.pid().unwrap().to_string());
    let seen = ["cmdline", "environ"]
        .map(|file| String::from_utf8_lossy(&std::fs::read(process.join(file)).unwrap()).into_owned());
    let everything = shown + &seen.concat() + &daemon.log().unwrap();
    assert!(!everything.contains("s3cret"), "{everything}");
    // The only file with a password is `service.json`, which only the daemon's user can read.
    let found = files_with(daemon.working_dir(), "s3cret");
    assert_eq!(found, ["service.json"]);
}

fn files_with(dir: &Path, text: &str) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(files_with(&path, text));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

fn a_restart_keeps_passwords_that_a_test_has_changed(server: fn() -> MySqlBuilder) {
    let daemon = server().username("app").password("pass").start().unwrap();
    run(&daemon.root_url(), "ALTER USER 'app'@'%' IDENTIFIED BY 'rotated'").unwrap();
    run(
        &daemon.root_url(),
        "ALTER USER 'root'@'localhost' IDENTIFIED BY 'rotated'",
    )
    .unwrap();
    daemon.restart().unwrap();
    assert_eq!(code(run(&daemon.url(), "SELECT 1")), Some(ACCESS_DENIED));
    assert_eq!(
        one(&url_with(&daemon, true, "root:rotated"), "SELECT 'in'").unwrap(),
        "in"
    );
}

#[test]
fn impossible_passwords_are_refused_with_their_option() {
    let cases = [
        (super::mariadb().root_password(""), "root_password"),
        (super::mariadb().root_password("a\0b"), "root_password"),
        (super::mariadb().username("app").password(""), "password"),
        (super::mariadb().username("app").password("a\0b"), "password"),
        (super::mariadb().extra_user("app", ""), "extra_user"),
        (super::mariadb().extra_user("app", "a\0b"), "extra_user"),
        (super::mariadb().password("one").root_password("two"), "password"),
    ];
    for (builder, wrong) in cases {
        let ManagedDaemonError::Start { source, .. } = builder.start().unwrap_err() else {
            panic!("not a failed start")
        };
        let ManagedDaemonError::InvalidOption { daemon, option, .. } = *source else {
            panic!("{source}")
        };
        assert_eq!((daemon, option), (MySql::NAME, wrong));
    }
}

//! When a test says something of its daemons, and where.

use std::process::Command;

use managed_daemons::{
    with_memcached, with_postgres_database, with_redis, MemcachedDaemon, PostgresDatabase, RedisDaemon,
};

use crate::support::{assert_nothing_left, private_root, run_tests};

/// Set in a process whose tests are to fail.
const FAIL: &str = "MANAGED_DAEMONS_TESTS_FAIL";

fn fails() -> bool {
    std::env::var_os(FAIL).is_some()
}

/// Tests that pass unless they are told to fail. The tests below run them in a process of their own.
mod tests_that_fail_on_demand {
    use super::*;

    #[with_redis]
    #[test]
    fn by_a_panic(redis: RedisDaemon) {
        assert!(!fails(), "what the test says of {}", redis.url());
    }

    #[with_redis]
    #[test]
    fn by_an_error(redis: RedisDaemon) -> Result<(), String> {
        match fails() {
            true => Err(redis.url()),
            false => Ok(()),
        }
    }

    #[with_redis]
    #[tokio::test]
    async fn by_an_error_when_async(redis: RedisDaemon) -> Result<(), Box<dyn std::error::Error>> {
        tokio::task::yield_now().await;
        if fails() {
            Err(redis.url())?;
        }
        Ok(())
    }

    /// Both become the boxed error only by the type of the function.
    #[with_redis]
    #[tokio::test]
    async fn by_a_boxed_error_when_async(redis: RedisDaemon) -> Result<(), Box<dyn std::error::Error>> {
        if redis.port() == 0 {
            return Err(Box::new(std::fmt::Error));
        }
        match fails() {
            true => Err(Box::new(std::io::Error::other(redis.url()))),
            false => Ok(()),
        }
    }

    #[with_redis]
    #[test]
    fn of_a_borrowed_daemon(redis: &RedisDaemon) -> Result<(), String> {
        match fails() {
            true => Err(redis.url()),
            false => Ok(()),
        }
    }

    #[test]
    fn without_an_attribute() {
        let redis = RedisDaemon::start().unwrap();
        assert!(!fails(), "{}", redis.url());
    }

    /// The daemon that says something comes first, although it is dropped last.
    #[with_memcached]
    #[with_redis]
    #[test]
    fn of_two(redis: RedisDaemon, memcached: MemcachedDaemon) {
        let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
        redis::cmd("NO-SUCH").exec(&mut connection).unwrap_err();
        assert!(!fails(), "{}", memcached.port());
    }

    // Redis tests its memory after a crash, and sometimes crashes again over that, before its report ends.
    #[with_redis(setting("crash-memcheck-enabled", "no"))]
    #[test]
    fn of_a_dead_daemon(redis: RedisDaemon) {
        // As a crash would.
        let pid = i32::try_from(redis.pid().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGSEGV).unwrap();
        while redis.is_running() {
            std::thread::yield_now();
        }
        assert!(!fails());
    }
}

/// Apart from the others, for the server belongs to the run that this process is in.
mod shared_test_that_fails_on_demand {
    use super::*;

    #[with_postgres_database]
    #[tokio::test]
    async fn of_a_shared_server(database: PostgresDatabase) -> Result<(), String> {
        database.query("SELECT * FROM missing").unwrap_err();
        match fails() {
            true => Err(database.url()),
            false => Ok(()),
        }
    }
}

/// Each passes, and says nothing.
mod tests_that_pass {
    use super::*;

    #[with_redis]
    #[test]
    #[should_panic(expected = "as it should")]
    fn by_a_panic(redis: RedisDaemon) {
        panic!("as it should, with {}", redis.url());
    }

    #[with_redis]
    #[test]
    fn with_a_panic_that_it_catches(redis: RedisDaemon) {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _redis = redis;
            panic!("in between");
        }));
        assert!(caught.is_err());
    }

    #[with_redis]
    #[test]
    fn with_an_error_in_between(redis: RedisDaemon) -> Result<(), String> {
        let failed: Result<(), String> = Err(redis.url());
        failed.or(Ok(()))
    }
}

fn tests(which: &str, root: &std::path::Path) -> Command {
    let mut command = run_tests(&format!("report::failures::{which}"), root);
    command
        .args(["--test-threads=1", "--nocapture"])
        .env("RUST_BACKTRACE", "0");
    for variable in ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "MANAGED_DAEMONS_REPORT"] {
        command.env_remove(variable);
    }
    command
}

/// What one failing test writes to standard error.
fn said(name: &str, set: &[(&str, &str)]) -> String {
    let root = private_root();
    let mut command = tests(&format!("tests_that_fail_on_demand::{name}"), root.path());
    let command = command.arg("--exact").env(FAIL, "1").envs(set.iter().copied());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    assert_nothing_left(root.path());
    String::from_utf8(output.stderr).unwrap()
}

/// The port in the first URL.
fn port(said: &str) -> String {
    let (_, rest) = said.split_once("127.0.0.1:").unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_failed_test_shows_the_state_of_its_daemon_and_its_log() {
    for name in [
        "by_a_panic",
        "by_an_error",
        "by_an_error_when_async",
        "by_a_boxed_error_when_async",
        "of_a_borrowed_daemon",
        "without_an_attribute",
    ] {
        let said = said(name, &[]);
        assert_eq!(said.matches("\nredis ").count(), 1, "{name}: {said}");
        let (before, report) = said.split_once("\nredis ").unwrap();
        let url = format!("@127.0.0.1:{}/", port(report));
        for text in [
            ", running, started ",
            " s ago\n",
            "\n  binary  /",
            &url,
            "\n  log     since the test began",
            "Ready to accept connections",
        ] {
            assert!(report.contains(text), "{name}: no {text:?} in {said}");
        }
        // libtest prints an error that a test returns after the test has ended.
        assert_eq!(
            before.contains("panicked at"),
            !name.contains("error") && !name.contains("borrowed"),
            "{said}"
        );
        assert!(!said.contains('\x1b'), "{said}");
    }
}

#[test]
fn a_failed_test_shows_what_its_part_of_a_shared_server_knows() {
    let root = private_root();
    let mut command = tests("shared_test_that_fails_on_demand::", root.path());
    let output = command.env_remove("MANAGED_DAEMONS_TMPDIR").env(FAIL, "1").output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert_eq!(said.matches("\npostgres ").count(), 1, "{said}");
    assert!(
        said.contains("> ") && said.contains("STATEMENT:  SELECT * FROM missing"),
        "{said}"
    );
}

#[test]
fn a_test_that_passes_says_nothing() {
    for which in ["tests_that_pass::", "tests_that_fail_on_demand::"] {
        let root = private_root();
        let output = tests(which, root.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(
            ["redis ", "memcached ", "postgres "]
                .iter()
                .all(|name| !said.contains(name)),
            "{said}"
        );
        assert_nothing_left(root.path());
    }
}

#[test]
fn a_daemon_with_something_to_say_comes_first() {
    let said = said("of_two", &[]);
    let (redis, memcached) = (said.find("\nredis ").unwrap(), said.find("\nmemcached ").unwrap());
    assert!(redis < memcached, "{said}");
    assert!(said.contains("\n  errors  ERR "), "{said}");
}

#[test]
fn a_daemon_that_has_died_says_how() {
    let said = said("of_a_dead_daemon", &[]);
    assert!(said.contains("ended by itself with signal: 11 (SIGSEGV)"), "{said}");
    let mut marked = said.lines().filter(|line| line.starts_with("    > "));
    assert!(marked.any(|line| line.contains("crashed by signal: 11")), "{said}");
    assert!(said.contains("REDIS BUG REPORT"), "{said}");
}

#[test]
fn variables_say_how_much_and_in_which_colours() {
    let never = said("by_a_panic", &[("MANAGED_DAEMONS_REPORT", "never")]);
    assert!(!never.contains("\nredis "), "{never}");
    let (short, full) = ("log     the last 20 of", "log     since the test began\n");
    assert!(said("of_a_dead_daemon", &[]).contains(short));
    let said_in_full = said("of_a_dead_daemon", &[("MANAGED_DAEMONS_REPORT", "full")]);
    assert!(said_in_full.contains(full), "{said_in_full}");
    let wrong = said("by_a_panic", &[("MANAGED_DAEMONS_REPORT", "loud")]);
    let told = "`MANAGED_DAEMONS_REPORT` is \"loud\": use `never`, `short` or `full`";
    assert!(wrong.contains(told) && wrong.contains("\nredis "), "{wrong}");
    let colored = said("by_a_panic", &[("FORCE_COLOR", "1")]);
    assert!(colored.contains("\n\x1b[1mredis "), "{colored}");
    let plain = said("by_a_panic", &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]);
    assert!(plain.contains("\nredis "), "{plain}");
}

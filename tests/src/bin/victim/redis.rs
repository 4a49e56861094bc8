//! Test functions that die on purpose: `nothing_left` runs each in a process of its own, and then looks.
//!
//! What they print on standard output tells where they are. They are no tests of anything themselves, hence ignored.

use std::io::Write;
use std::time::Duration;

use managed_daemons::{with_redis, RedisDaemon};
use once_cell::sync::OnceCell;

use crate::support::{set, unruly};

static SHARED: OnceCell<RedisDaemon> = OnceCell::new();

/// Past the harness's capture, which a killed process never prints.
fn say(word: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{word}").and_then(|()| out.flush()).unwrap();
}

/// The place of directories that are the user's own.
fn own_dir() -> std::path::PathBuf {
    std::path::PathBuf::from(std::env::var_os("VICTIM_DIR").unwrap())
}

/// Everything a test process does with daemons, over and over, until it is killed.
#[test]
#[ignore = "to be killed by `nothing_left`"]
fn churns() {
    say("main");
    let start_and_drop = || loop {
        drop(RedisDaemon::start());
    };
    std::thread::scope(|scope| {
        scope.spawn(start_and_drop);
        scope.spawn(start_and_drop);
        scope.spawn(|| loop {
            drop(unruly("double-fork").start());
            drop(RedisDaemon::builder().directive("maxmemory", "a lot").start());
        });
        scope.spawn(|| loop {
            if let Ok(daemon) = RedisDaemon::builder().working_dir(own_dir()).start() {
                let _ = daemon.restart();
            }
        });
        let _ = SHARED.get_or_try_init(RedisDaemon::start);
    });
}

/// One of each, then waits.
#[test]
#[ignore = "to be killed by `nothing_left`"]
fn waits() {
    let _redis = RedisDaemon::start().unwrap();
    let _stray = unruly("double-fork").start().unwrap();
    let _paused = RedisDaemon::start().inspect(|daemon| daemon.pause().unwrap()).unwrap();
    let _stopped = RedisDaemon::start().inspect(|daemon| daemon.stop().unwrap()).unwrap();
    let own = RedisDaemon::builder().working_dir(own_dir()).start().unwrap();
    set(&own, "kept", "yes").unwrap();
    SHARED.get_or_try_init(RedisDaemon::start).unwrap();
    say("waiting");
    std::thread::sleep(Duration::from_secs(3600));
}

#[test]
#[ignore = "to be looked after by `nothing_left`"]
fn passes() {
    SHARED.get_or_try_init(RedisDaemon::start).unwrap();
    let _redis = RedisDaemon::start().unwrap();
}

#[with_redis]
#[test]
#[ignore = "to be looked after by `nothing_left`"]
fn panics(_redis: RedisDaemon) {
    SHARED.get_or_try_init(RedisDaemon::start).unwrap();
    panic!("on purpose");
}

#[with_redis]
#[test]
#[ignore = "to be looked after by `nothing_left`"]
fn fails(_redis: RedisDaemon) -> Result<(), String> {
    SHARED.get_or_try_init(RedisDaemon::start).unwrap();
    Err(String::from("on purpose"))
}

#[with_redis]
#[test]
#[ignore = "to be looked after by `nothing_left`"]
fn exits(_redis: RedisDaemon) {
    SHARED.get_or_try_init(RedisDaemon::start).unwrap();
    std::process::exit(3);
}

#[with_redis]
#[test]
#[ignore = "to be looked after by `nothing_left`"]
fn aborts(_redis: RedisDaemon) {
    SHARED.get_or_try_init(RedisDaemon::start).unwrap();
    std::process::abort();
}

#[with_redis(directive("maxmemory", "a-lot"))]
#[test]
#[ignore = "to be looked after by `failure`"]
fn cannot_start(_redis: RedisDaemon) {}

/// Eight at once, until standard input closes; says the port of each.
#[test]
#[ignore = "to be looked after by `isolation`"]
fn starts_eight() {
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| RedisDaemon::start().unwrap()))
        .collect();
    let daemons: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for daemon in &daemons {
        let log = daemon.log().unwrap();
        say(&format!(
            "port {} starts {}",
            daemon.port(),
            log.matches("Redis is starting").count()
        ));
    }
    say("all");
    std::io::stdin().lines().for_each(drop);
}

/// Leaves a child that was forked, executes nothing, and holds a copy of every descriptor.
#[with_redis]
#[test]
#[ignore = "to be looked after by `nothing_left`"]
fn forks(_redis: RedisDaemon) {
    // SAFETY: the child only waits, in a system call, and ends.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Parent { .. } => std::process::abort(),
        nix::unistd::ForkResult::Child => {
            nix::unistd::sleep(8);
            nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap();
        }
    }
}

/// The life of a server, over and over, until it is killed.
fn churn_servers(server: fn() -> managed_daemons::Builder<managed_daemons::MySql>) {
    say("main");
    // A template of its own for each process of MariaDB, where it is made fast and is small.
    let new = if server()
        .start()
        .is_ok_and(|daemon| daemon.flavor() == managed_daemons::Flavor::MariaDb)
    {
        format!("CREATE TABLE t_{} (n INT)", std::process::id())
    } else {
        String::from("CREATE TABLE t (n INT)")
    };
    loop {
        drop(server().start());
        drop(server().init_sql(&*new).start());
        let own = own_dir().with_file_name("mysql");
        if let Ok(daemon) = server().working_dir(own).user("app", "pass").start() {
            let _ = daemon.restart();
        }
    }
}

#[test]
#[ignore = "to be killed by `mysql::nothing_left`"]
fn churns_mariadb() {
    churn_servers(crate::mysql::mariadb);
}

#[test]
#[ignore = "to be killed by `mysql::nothing_left`"]
fn churns_mysql() {
    churn_servers(crate::mysql::mysql);
}

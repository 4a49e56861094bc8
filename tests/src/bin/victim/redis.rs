//! Redis, and a daemon that leaves its process group.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use managed_daemons::{RedisDaemon, Result};
use managed_daemons_tests::{Unruly, UnrulyDaemon};
use nix::sys::signal::{raise, Signal};
use nix::unistd::ForkResult;

use super::{random, say, user_dir, wait_for_test};

/// A daemon in a static, which is never dropped.
static SHARED: OnceLock<RedisDaemon> = OnceLock::new();

fn start_shared() {
    SHARED.get_or_init(|| RedisDaemon::start().unwrap());
}

/// A builder for a daemon that forks twice, as classic daemons do.
fn double_fork() -> managed_daemons::Builder<Unruly> {
    let program = std::env::current_exe().unwrap().with_file_name("unruly");
    UnrulyDaemon::builder()
        .binary(program)
        .with(|unruly| unruly.mode("double-fork"))
}

/// Does everything that a test process does with daemons, over and over.
pub(crate) fn churn() -> Result<()> {
    let start_and_drop = || loop {
        drop(RedisDaemon::start());
    };
    std::thread::scope(|scope| {
        scope.spawn(start_and_drop);
        scope.spawn(start_and_drop);
        scope.spawn(|| loop {
            drop(double_fork().start());
            drop(RedisDaemon::builder().setting("maxmemory", "a lot").start());
        });
        scope.spawn(|| loop {
            if let Ok(daemon) = RedisDaemon::builder().working_dir(user_dir()).start() {
                let _ = daemon.restart();
            }
        });
        start_shared();
    });
    Ok(())
}

/// Holds a daemon in each state, and says `holding`.
pub(crate) fn hold() -> Result<()> {
    let _running = RedisDaemon::start()?;
    let _stray = double_fork().start()?;
    let paused = RedisDaemon::start()?;
    paused.pause()?;
    let stopped = RedisDaemon::start()?;
    stopped.stop()?;
    let kept = RedisDaemon::builder().working_dir(user_dir()).start()?;
    let mut connection = redis::Client::open(kept.url()).unwrap().get_connection().unwrap();
    let set = redis::cmd("SET").arg(&["kept", "yes"]).exec(&mut connection);
    set.unwrap();
    start_shared();
    say("holding");
    wait_for_test();
    Ok(())
}

/// Starts eight daemons at once. Says the port of each and how many starts it took, then `holding`.
pub(crate) fn hold_eight() -> Result<()> {
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(RedisDaemon::start)).collect();
    let started = threads.into_iter().map(|thread| thread.join().unwrap());
    let daemons = started.collect::<Result<Vec<_>>>()?;
    for daemon in &daemons {
        let starts = daemon.log()?.matches("Redis is starting").count();
        say(&format!("port {} after {starts} start(s)", daemon.port()));
    }
    say("holding");
    wait_for_test();
    Ok(())
}

/// Starts and drops a daemon, and leaves one in a static.
pub(crate) fn once() -> Result<()> {
    start_shared();
    RedisDaemon::start().map(drop)
}

/// Exits in the middle of a test.
pub(crate) fn exit() -> Result<()> {
    start_shared();
    let _redis = RedisDaemon::start()?;
    std::process::exit(3);
}

/// Ends at a random moment and in a random way, while other threads start, restart and drop daemons.
pub(crate) fn leave() -> Result<()> {
    let mut random = random();
    for _ in 0..random.u8(0..4) {
        let kind = random.u8(0..4);
        std::thread::spawn(move || loop {
            match kind {
                0 => drop(RedisDaemon::builder().working_dir(user_dir()).start()),
                1 => drop(double_fork().start()),
                2 => drop(RedisDaemon::start()),
                _ => drop(RedisDaemon::start().and_then(|redis| redis.restart())),
            }
        });
    }
    if random.bool() {
        start_shared();
    }
    std::thread::sleep(Duration::from_micros(random.u64(0..60_000)));
    match random.u8(0..8) {
        0 => std::process::abort(),
        1 => panic!("on purpose"),
        2 => raise(Signal::SIGKILL).unwrap(),
        3 => raise(Signal::SIGTERM).unwrap(),
        4 => drop(Command::new("true").exec()),
        5 => return Ok(()),
        _ => std::process::exit(0),
    }
    Ok(())
}

/// Aborts in the middle of a test.
pub(crate) fn abort() -> Result<()> {
    start_shared();
    let _redis = RedisDaemon::start()?;
    std::process::abort();
}

/// Fails to start a daemon.
pub(crate) fn fail() -> Result<()> {
    RedisDaemon::builder().setting("maxmemory", "a-lot").start().map(drop)
}

/// Aborts, and leaves a forked child that executes no program and holds a copy of every descriptor. The
/// test kills it; two minutes later, it ends by itself.
pub(crate) fn fork() -> Result<()> {
    let _redis = RedisDaemon::start()?;
    // SAFETY: the child makes two system calls, and nothing else.
    match unsafe { nix::unistd::fork() }.unwrap() {
        ForkResult::Parent { .. } => std::process::abort(),
        ForkResult::Child => {
            nix::unistd::sleep(120);
            raise(Signal::SIGKILL).unwrap();
            Ok(())
        }
    }
}

//! What is counted: our own part of one Redis start and its removal.

use std::error::Error;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use managed_daemons::{BinarySpec, Builder, Configured, Daemon, Instance, ManagedDaemon, Origin, Readiness, Redis};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;

/// Starts before those that are counted.
const WARM_UP: usize = 3;
/// Between two tries to reach Redis in the part `probe` before the one try that is counted.
const ASK_AGAIN: Duration = Duration::from_millis(1);
/// How long it may take to answer, under valgrind and on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The recipe of Redis, with nothing to wait for: how often a daemon is asked until it answers is
/// the machine's affair.
#[derive(Debug, Default)]
struct Unawaited {
    redis: Redis,
    asked: bool,
}

impl Daemon for Unawaited {
    const NAME: &'static str = "redis";

    fn binary_spec(&self) -> BinarySpec {
        self.redis.binary_spec()
    }

    fn configure(&mut self, instance: &Instance) -> managed_daemons::Result<()> {
        self.redis.configure(instance)
    }

    fn command(&self, instance: &Instance) -> managed_daemons::Result<Command> {
        self.redis.command(instance)
    }

    fn probe(&self, _instance: &Instance) -> Readiness {
        Readiness::Ready
    }

    fn ready(&self, instance: &Instance, _first: bool) -> managed_daemons::Result<()> {
        if self.asked {
            let deadline = Instant::now() + PATIENCE;
            while self.redis.probe(instance) != Readiness::Ready && Instant::now() < deadline {
                std::thread::sleep(ASK_AGAIN);
            }
            count_probe(&self.redis, instance);
        }
        Ok(())
    }

    fn escapes_process_group(&self) -> bool {
        self.redis.escapes_process_group()
    }

    fn settings(&self) -> Value {
        self.redis.settings()
    }
}

/// Starts and removes daemons, and says how the binary was found. The first ones are not counted:
/// they start the reaper, and fill what a process keeps.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let [times, root, asked @ ..] = arguments else {
        return Err("the number of starts and their directory are missing".into());
    };
    let (times, root, probes) = (times.parse()?, Path::new(root), !asked.is_empty());
    let mut origin = "";
    for _ in 0..WARM_UP {
        let daemon = builder(root, false).configure()?.start()?;
        origin = match daemon.origin() {
            Origin::Fetched { .. } => "fetched",
            _ => "installed",
        };
        // The reaper removes it when this process ends: only what is counted may remove anything.
        std::mem::forget(daemon);
    }
    for _ in 0..times {
        let daemon = count_start(count_configure(root, probes)?)?;
        // What there is to remove is then always the same, and nothing has to be waited for.
        crash(&daemon)?;
        count_removal(daemon)?;
    }
    println!("{origin}");
    Ok(ExitCode::SUCCESS)
}

fn builder(root: &Path, probes: bool) -> Builder<Unawaited> {
    ManagedDaemon::<Unawaited>::builder()
        .temp_root(root)
        .with(|recipe| recipe.asked = probes)
}

/// Ends the daemon once it answers, and leaves it to be collected.
fn crash(daemon: &ManagedDaemon<Unawaited>) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + PATIENCE;
    let pid = daemon.pid().ok_or("it has ended by itself")?;
    while TcpStream::connect(("127.0.0.1", daemon.port())).is_err() {
        pause(deadline)?;
    }
    kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGKILL)?;
    while !std::fs::read_to_string(format!("/proc/{pid}/stat"))?.contains(") Z ") {
        pause(deadline)?;
    }
    Ok(())
}

fn pause(deadline: Instant) -> Result<(), &'static str> {
    std::thread::sleep(ASK_AGAIN);
    match Instant::now() < deadline {
        true => Ok(()),
        false => Err("Redis takes too long"),
    }
}

// The functions that callgrind is told to count, by these names.

#[inline(never)]
fn count_configure(root: &Path, probes: bool) -> managed_daemons::Result<Configured<Unawaited>> {
    builder(root, probes).configure()
}

#[inline(never)]
fn count_start(configured: Configured<Unawaited>) -> managed_daemons::Result<ManagedDaemon<Unawaited>> {
    configured.start()
}

#[inline(never)]
fn count_removal(daemon: ManagedDaemon<Unawaited>) -> managed_daemons::Result<()> {
    daemon.close()
}

#[inline(never)]
fn count_probe(redis: &Redis, instance: &Instance) -> Readiness {
    std::hint::black_box(redis.probe(instance))
}

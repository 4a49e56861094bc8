//! The work to count: what the framework itself does to start and remove one Redis.

use std::error::Error;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use managed_daemons::{BinarySpec, Builder, Configured, Daemon, Instance, ManagedDaemon, Origin, Readiness, Redis};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;

/// Starts before the counted ones.
const WARM_UP: usize = 3;
/// The pause between two attempts to reach Redis.
const PAUSE: Duration = Duration::from_millis(1);
/// How long Redis may take to answer, under valgrind and on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The recipe of Redis without waiting for readiness: the number of probes until a daemon answers
/// depends on the machine.
#[derive(Debug, Default)]
struct Unawaited {
    redis: Redis,
    /// Whether to count a probe, once Redis answers.
    counts_probe: bool,
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
        if self.counts_probe {
            let deadline = Instant::now() + PATIENCE;
            while self.redis.probe(instance) != Readiness::Ready && Instant::now() < deadline {
                std::thread::sleep(PAUSE);
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

/// Starts and removes daemons, and prints how the binary was found. The first ones are not counted:
/// they start the reaper and fill the caches of the process.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let [times, root, probe @ ..] = arguments else {
        return Err("the number of starts and their directory are missing".into());
    };
    let (times, root, probes) = (times.parse()?, Path::new(root), !probe.is_empty());
    let mut origin = "";
    for _ in 0..WARM_UP {
        let daemon = builder(root, false).configure()?.start()?;
        origin = match daemon.origin() {
            Origin::Fetched { .. } => "fetched",
            _ => "installed",
        };
        // The reaper removes it when this process ends. A removal here would call the function that
        // is excluded from the count, and so switch counting on.
        std::mem::forget(daemon);
    }
    for _ in 0..times {
        let daemon = count_start(count_configure(root, probes)?)?;
        // Then every removal finds the same state, and has nothing to wait for.
        crash(&daemon)?;
        count_removal(daemon)?;
    }
    println!("{origin}");
    Ok(ExitCode::SUCCESS)
}

fn builder(root: &Path, probes: bool) -> Builder<Unawaited> {
    ManagedDaemon::<Unawaited>::builder()
        .temp_root(root)
        .with(|recipe| recipe.counts_probe = probes)
}

/// Kills the daemon once it answers, and leaves the zombie to be reaped.
fn crash(daemon: &ManagedDaemon<Unawaited>) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + PATIENCE;
    let pid = daemon.pid().ok_or("Redis has already ended")?;
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
    std::thread::sleep(PAUSE);
    match Instant::now() < deadline {
        true => Ok(()),
        false => Err("Redis takes too long"),
    }
}

// Callgrind counts these functions by their names.

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

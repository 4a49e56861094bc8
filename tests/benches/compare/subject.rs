//! The daemons to measure: how to start each one, how to reach it, and how to run its binary alone.

use std::time::{Duration, Instant};

use managed_daemons::{
    Apache, Builder, Daemon, ManagedDaemon, Memcached, MySql, MySqlDaemon, Nginx, Postgres, PostgresDaemon, RabbitMq,
    RabbitMqDaemon, Redis, RedisDaemon,
};
use tokio::runtime::Runtime;

use crate::client::{Client, Failure};
use crate::floor::Floor;
use crate::recorded::Recorded;

/// The time from the call to the first answer, and the time that the removal takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) start: Duration,
    pub(crate) removal: Duration,
}

impl Times {
    pub(crate) fn sum(self) -> Duration {
        self.start + self.removal
    }
}

/// One start by the framework.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours {
    /// Until `start()` returned: the readiness probe had succeeded by then.
    pub(crate) returned: Duration,
    /// Until the first answer to the same client that the floor uses, and the removal.
    pub(crate) times: Times,
}

type Start = Box<dyn Fn(&Runtime) -> Result<Ours, Failure>>;
type Prepare = Box<dyn Fn() -> Result<(Floor, Keeper), Failure>>;
/// The handle of the daemon that the floor is made from. It keeps the port and the directory
/// reserved.
pub(crate) type Keeper = Box<dyn std::any::Any>;

/// A daemon with its options, ready to be measured.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) targets: Targets,
    start: Start,
    floor: Prepare,
    exec: Exec,
}

/// Upper bounds for the ratios of our start to the floor's, and to running the binary alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Targets {
    pub(crate) to_floor: f64,
    pub(crate) to_exec: f64,
}

/// How to run the binary without a daemon.
#[derive(Debug, Clone, Copy)]
enum Exec {
    Version(&'static str),
    Erlang,
}

impl Subject {
    pub(crate) fn start(&self, runtime: &Runtime) -> Result<Ours, Failure> {
        (self.start)(runtime)
    }

    pub(crate) fn floor(&self) -> Result<(Floor, Keeper), Failure> {
        (self.floor)()
    }

    pub(crate) fn exec(&self, floor: &Floor) -> Result<Duration, Failure> {
        match self.exec {
            Exec::Version(argument) => floor.exec(&[argument]),
            Exec::Erlang => floor.exec_erlang(),
        }
    }
}

/// All daemons, in the order of the table. Valkey is left out: not every distribution has it, and
/// it starts as Redis does.
pub(crate) fn all() -> Vec<Subject> {
    let small = |to_exec| Targets {
        to_floor: 1.15,
        to_exec,
    };
    let database = |to_exec| Targets {
        to_floor: 1.25,
        to_exec,
    };
    vec![
        subject::<Redis>(
            "redis",
            small(2.0),
            Exec::Version("--version"),
            || RedisDaemon::builder().password("bench"),
            |port| Client::Redis(format!("redis://:bench@127.0.0.1:{port}/")),
        ),
        subject::<Memcached>(
            "memcached",
            small(3.0),
            Exec::Version("-V"),
            Builder::default,
            Client::Memcached,
        ),
        subject::<Nginx>("nginx", small(3.0), Exec::Version("-v"), Builder::default, Client::Http),
        subject::<Apache>(
            "apache",
            small(0.8),
            Exec::Version("-v"),
            Builder::default,
            Client::Http,
        ),
        subject::<Postgres>(
            "postgres",
            database(3.0),
            Exec::Version("--version"),
            || PostgresDaemon::builder().password("bench"),
            postgres,
        ),
        subject::<Postgres>(
            "postgres lean",
            database(3.0),
            Exec::Version("--version"),
            || PostgresDaemon::builder().password("bench").lean(),
            postgres,
        ),
        subject::<MySql>(
            "mysql",
            database(2.5),
            Exec::Version("--version"),
            || MySqlDaemon::builder().root_password("bench"),
            |port| Client::MySql(format!("mysql://root:bench@127.0.0.1:{port}/test")),
        ),
        subject::<RabbitMq>(
            "rabbitmq",
            Targets {
                to_floor: 1.10,
                to_exec: 6.0,
            },
            Exec::Erlang,
            || RabbitMqDaemon::builder().password("bench"),
            |port| Client::Amqp(format!("amqp://guest:bench@127.0.0.1:{port}/%2f")),
        ),
    ]
}

fn postgres(port: u16) -> Client {
    Client::Postgres(format!("postgres://postgres:bench@127.0.0.1:{port}/postgres"))
}

fn subject<D: Daemon>(
    name: &'static str,
    targets: Targets,
    exec: Exec,
    builder: impl Fn() -> Builder<D> + Copy + 'static,
    client: impl Fn(u16) -> Client + Copy + 'static,
) -> Subject {
    Subject {
        name,
        targets,
        exec,
        start: Box::new(move |runtime| {
            let begin = Instant::now();
            let daemon = builder().start()?;
            let returned = begin.elapsed();
            client(daemon.port()).ask(runtime)?;
            let start = begin.elapsed();
            let begin = Instant::now();
            drop(daemon);
            let removal = begin.elapsed();
            Ok(Ours {
                returned,
                times: Times { start, removal },
            })
        }),
        floor: Box::new(move || {
            let daemon = Recorded::builder(builder()).start()?;
            // The first start does extra work, so the floor repeats a later one.
            daemon.restart()?;
            let commands = daemon.commands().ok_or("no command was recorded")?;
            let ids = ids_of(&daemon)?;
            let client = client(daemon.port());
            daemon.stop()?;
            let floor = Floor::new(commands, client, ids, daemon.working_dir())?;
            Ok((floor, Box::new(daemon) as Keeper))
        }),
    }
}

fn ids_of<D: Daemon>(daemon: &ManagedDaemon<D>) -> Result<(u32, u32), Failure> {
    let pid = daemon.pid().ok_or("the daemon is not running")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let id = |name: &str| -> Option<u32> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Ok(id("Uid:").zip(id("Gid:")).ok_or("/proc does not show its user")?)
}

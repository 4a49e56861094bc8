//! Starts each daemon in every version that the sources of packages here have, uses it, restarts it,
//! uses it again, and writes what came of it to `fixtures/docs/versions.md`.
//!
//! Arguments, such as `postgres` or `trixie`, choose daemons and sources; the table is then only
//! printed. It needs some gigabytes in the cache, which `managed-daemons clean` gives back.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod exercise;
mod table;

use std::error::Error;
use std::process::ExitCode;

use managed_daemons::{
    ApacheDaemon, BinaryRequest, BinarySpec, Builder, Daemon, Flavor, ManagedDaemon, MemcachedDaemon, MySqlDaemon,
    NginxDaemon, PostgresDaemon, RabbitMqDaemon, RedisDaemon, ValkeyDaemon,
};

use table::{Cell, Row};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The suites to try beside the host's own.
const SUITES: &[&str] = &[OLDER, "trixie", "sid"];
/// Of this one, the dynamic loader can't run programs that start each other, as those of PostgreSQL
/// do, on a later host. npm has PostgreSQL of that time.
const OLDER: &str = "bullseye";
/// The major versions of PostgreSQL to try from npm.
const NPM_VERSIONS: std::ops::RangeInclusive<u32> = 10..=18;
/// The major version of PostgreSQL that suites of Debian have.
const OWN_POSTGRES: &[(&str, &str)] = &[("bullseye", "13"), ("bookworm", "15"), ("trixie", "17")];
/// The last column of the table.
const NPM: &str = "npm";
/// For machines that do much else.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// Where one cell's installation comes from.
struct Source {
    column: &'static str,
    suite: Option<&'static str>,
    version: Option<String>,
}

/// One daemon, to be tried from one source.
type Try = Box<dyn Fn(&Source) -> Outcome<Option<String>> + Send + Sync>;

fn main() -> ExitCode {
    // What the host happens to have installed is in no column.
    std::env::set_var("MANAGED_DAEMONS_PROVISION", "only");
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let rows = std::thread::scope(|scope| {
        let all = daemons().into_iter();
        let rows = all.map(|(name, daemon, attempt)| scope.spawn(|| row(name, daemon, attempt, &chosen)));
        // All have begun before the first is waited for.
        let rows: Vec<_> = rows.collect();
        let joined = rows
            .into_iter()
            .map(|row| row.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect::<Vec<Row>>()
    });
    let failures: usize = rows.iter().map(Row::failures).sum();
    let text = table::text(&host(), &columns(), &rows);
    println!("{text}");
    if chosen.is_empty() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/docs/versions.md");
        if let Err(error) = std::fs::write(path, text) {
            eprintln!("could not write {path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    match failures {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// All daemons: what they are called, the framework's name for them, and how to try them.
fn daemons() -> Vec<(&'static str, &'static str, Try)> {
    vec![
        (
            "Redis",
            "redis",
            attempt(RedisDaemon::builder, |redis| exercise::redis(&redis.url(), redis)),
        ),
        (
            "Valkey",
            "valkey",
            attempt(ValkeyDaemon::builder, |valkey| exercise::redis(&valkey.url(), valkey)),
        ),
        (
            "PostgreSQL",
            "postgres",
            attempt(PostgresDaemon::builder, exercise::postgres),
        ),
        (
            "MariaDB",
            "mariadb",
            attempt(|| MySqlDaemon::builder().flavor(Flavor::MariaDb), exercise::mysql),
        ),
        (
            "MySQL",
            "mysql",
            attempt(|| MySqlDaemon::builder().flavor(Flavor::MySql), exercise::mysql),
        ),
        (
            "nginx",
            "nginx",
            attempt(NginxDaemon::builder, |nginx| {
                exercise::web(&nginx.url(), &nginx.document_root(), nginx)
            }),
        ),
        (
            "Apache httpd",
            "apache",
            attempt(ApacheDaemon::builder, |apache| {
                exercise::web(&apache.url(), &apache.document_root(), apache)
            }),
        ),
        (
            "RabbitMQ",
            "rabbitmq",
            attempt(RabbitMqDaemon::builder, exercise::rabbitmq),
        ),
        (
            "memcached",
            "memcached",
            attempt(MemcachedDaemon::builder, exercise::memcached),
        ),
    ]
}

fn attempt<D: Daemon>(
    builder: impl Fn() -> Builder<D> + Send + Sync + 'static,
    exercise: impl Fn(&ManagedDaemon<D>) -> Outcome<()> + Send + Sync + 'static,
) -> Try {
    Box::new(move |source| {
        let mut builder = builder();
        if let Some(suite) = source.suite {
            builder = builder.suite(suite);
        }
        if let Some(version) = &source.version {
            builder = builder.version(version.as_str());
        }
        let builder = builder.start_timeout(PATIENCE);
        let daemon = builder.start().map_err(|error| error.report())?;
        exercise(&daemon)?;
        let (version, origin) = (daemon.version().to_owned(), daemon.origin().to_string());
        daemon.close().map_err(|error| error.report())?;
        match source.column == NPM && !origin.contains(NPM) {
            true => Ok(None), // the host's own suite has that version, and was tried
            false => Ok(Some(version)),
        }
    })
}

fn columns() -> Vec<&'static str> {
    let mut columns = vec![codename().leak() as &'static str];
    columns.extend(SUITES);
    columns.push(NPM);
    columns
}

fn sources(daemon: &str) -> Vec<Source> {
    let columns = columns();
    // The cache may have later ones from npm, which would be preferred.
    let mut of_suite = OWN_POSTGRES
        .iter()
        .filter(|(suite, _)| daemon == "postgres" && *suite == columns[0]);
    let version = of_suite.next().map(|(_, version)| (*version).to_owned());
    let own = Source {
        column: columns[0],
        suite: None,
        version,
    };
    let suites = SUITES.iter().filter(|suite| **suite != OLDER || daemon != "postgres");
    let suites = suites.map(|&suite| Source {
        column: suite,
        suite: Some(suite),
        version: None,
    });
    let of_npm = NPM_VERSIONS.filter(|_| daemon == "postgres");
    let npm = of_npm.map(|major| Source {
        column: NPM,
        suite: None,
        version: Some(major.to_string()),
    });
    std::iter::once(own).chain(suites).chain(npm).collect()
}

/// Tries a daemon from every source, one after the other.
fn row(name: &'static str, daemon: &'static str, attempt: Try, chosen: &[String]) -> Row {
    let is_chosen = |word: &str, words: &mut dyn Iterator<Item = &String>| {
        let mut words = words.peekable();
        words.peek().is_none() || words.any(|chosen| chosen == word)
    };
    let is_column = |word: &&String| columns().contains(&word.as_str());
    let mut cells = Vec::new();
    if is_chosen(daemon, &mut chosen.iter().filter(|word| !is_column(word))) {
        for source in sources(daemon) {
            if !is_chosen(source.column, &mut chosen.iter().filter(is_column)) {
                continue;
            }
            let cell = Cell::of(source.column, attempt(&source).map_err(|error| error.to_string()));
            eprintln!(
                "{daemon} {} {}: {cell:?}",
                source.column,
                source.version.unwrap_or_default()
            );
            cells.push(cell);
        }
    }
    Row {
        name,
        oldest: oldest(daemon),
        cells,
    }
}

/// The oldest version that works, as the error says it that a user gets who asks for an older one.
fn oldest(daemon: &str) -> String {
    let request = BinaryRequest {
        version: Some(String::from("0")),
        ..BinaryRequest::default()
    };
    let located = BinarySpec::named(daemon).map(|spec| spec.locate(&request));
    let Some(Err(error)) = located else {
        return String::new();
    };
    let said = error.to_string();
    let oldest = said
        .split_once("older than ")
        .and_then(|(_, rest)| rest.split_once(','));
    oldest.map_or(String::new(), |(oldest, _)| oldest.to_owned())
}

fn release(field: &str) -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let value = lines
        .find(|(name, _)| *name == field)
        .map(|(_, value)| value.trim_matches('"'));
    value.unwrap_or_default().to_owned()
}

fn codename() -> String {
    release("VERSION_CODENAME")
}

fn host() -> String {
    format!(
        "{} {} ({})",
        release("NAME").replace(" GNU/Linux", ""),
        release("VERSION_ID"),
        std::env::consts::ARCH
    )
}

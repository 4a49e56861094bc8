//! What a suite is: the same tests, with their servers in several ways.

use crate::runner::Runner;
use crate::server::Server;

/// The suites and the program for which the framework has what a run shares.
pub(crate) const SHARED: &[&str] = &[
    "postgres-migrations",
    "postgres-inserts",
    "rabbitmq",
    "mysql-migrations",
    "acquire",
];

/// How the tests of a suite get their server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// One for each test, from the framework.
    Each,
    /// `#[sqlx::test]`, on a server that runs already.
    Sqlx,
    /// One for the run, from the framework.
    Shared,
    /// None: the tests are empty. This is what the runner takes for itself.
    Without,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Each => "a server each",
            Self::Sqlx => "#[sqlx::test]",
            Self::Shared => "shared",
            Self::Without => "no server, empty tests",
        }
    }
}

/// The tests of one suite, as one test binary.
pub(crate) struct Contestant {
    pub(crate) way: Way,
    /// The name of the test binary.
    pub(crate) binary: &'static str,
    /// What has to run already, and whose URL is in DATABASE_URL.
    pub(crate) server: Option<Server>,
    /// What comes before the tests.
    pub(crate) head: &'static str,
    /// A test; NUMBER stands for its number.
    pub(crate) test: &'static str,
}

/// That a shared server takes at most this part of the time of another way.
pub(crate) struct Promise {
    pub(crate) compared_with: Way,
    pub(crate) at_most: f64,
    pub(crate) runners: &'static [Runner],
}

pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) tests: usize,
    pub(crate) all: &'static [Contestant],
    pub(crate) promises: &'static [Promise],
}

/// What every suite would take without servers.
macro_rules! without_server {
    ($binary:literal) => {
        Contestant {
            way: Way::Without,
            binary: $binary,
            server: None,
            head: "",
            test: "#[tokio::test]\nasync fn test_NUMBER() {}\n",
        }
    };
}
pub(crate) use without_server;

impl Suite {
    /// Those that there are.
    pub(crate) fn contestants(&self) -> impl Iterator<Item = &Contestant> {
        self.all
            .iter()
            .filter(|contestant| contestant.way != Way::Shared || SHARED.contains(&self.name))
    }
}

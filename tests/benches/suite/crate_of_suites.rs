//! The crate with the suites, each a test binary.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::acquire::PROGRAM;
use crate::suite::{Contestant, Suite, SHARED};
use crate::Failure;

const MIGRATIONS: usize = 20;
const MANIFEST: &str = r#"[package]
name = "suites"
version = "0.0.0"
edition = "2021"

[dependencies]
lapin = { version = "3", default-features = false, features = ["default-runtime"] }
managed-daemons = { path = FIXTURES, features = ["full"] }
sqlx = { version = "0.8", default-features = false, features = ["macros", "migrate", "mysql", "postgres", "runtime-tokio"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread", "time"] }

[profile.dev]
debug = "line-tables-only"

[workspace]
"#;
/// What the tests do with their server.
const LIBRARY: &str = include_str!("made/library.rs");
const ACQUIRE: &str = include_str!("made/acquire.rs");
const ACQUIRE_SHARED: &str = include_str!("made/acquire_shared.rs");

/// The crate, below `target`.
pub(crate) struct CrateOfSuites {
    dir: PathBuf,
}

impl CrateOfSuites {
    /// Makes it, and builds its tests.
    pub(crate) fn make(suites: &[&Suite]) -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let made = Self {
            dir: target.join("suite"),
        };
        for dir in ["src/bin", "tests", "one", "twenty"] {
            // Those of an earlier run may be of other suites.
            match fs::remove_dir_all(made.dir.join(dir)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => fs::create_dir_all(made.dir.join(dir))?,
            }
        }
        let fixtures = format!("{:?}", root.join("fixtures"));
        made.write("Cargo.toml", &MANIFEST.replace("FIXTURES", &fixtures))?;
        // The versions of our lock file, and whatever it lacks.
        fs::copy(root.join("Cargo.lock"), made.dir.join("Cargo.lock"))?;
        made.write("src/lib.rs", LIBRARY)?;
        let shared = if SHARED.contains(&PROGRAM) { ACQUIRE_SHARED } else { "" };
        let acquire = ACQUIRE.replace("SHARED", shared);
        made.write(&format!("src/bin/{PROGRAM}.rs"), &acquire)?;
        made.write("one/1_rows.sql", &table(MIGRATIONS))?;
        for number in 1..=MIGRATIONS {
            made.write(&format!("twenty/{number}_table.sql"), &table(number))?;
        }
        for suite in suites {
            for contestant in suite.contestants() {
                made.write(&format!("tests/{}.rs", contestant.binary), &source(suite, contestant))?;
            }
        }
        eprintln!("building the suites …");
        for words in [&["fetch"][..], &["test", "--offline", "--no-run"]] {
            let status = made.cargo().args(words).status()?;
            if !status.success() {
                return Err(format!("`cargo {}` failed in {}", words.join(" "), made.dir.display()).into());
            }
        }
        Ok(made)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Cargo, for this crate.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", self.dir.join("target"))
            .env_remove("CARGO_PROFILE_DEV_DEBUG")
            .env("CARGO_INCREMENTAL", "0")
            .stdin(Stdio::null());
        command
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        fs::write(self.dir.join(name), text)
    }
}

fn table(number: usize) -> String {
    format!("CREATE TABLE rows_{number} (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL);\n")
}

fn source(suite: &Suite, contestant: &Contestant) -> String {
    let tests = (0..suite.tests).map(|number| contestant.test.replace("NUMBER", &number.to_string()));
    contestant.head.to_owned() + &tests.collect::<String>()
}

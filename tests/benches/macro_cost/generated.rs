//! The two crates whose builds are compared.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How the tests of a crate get their Redis.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Attribute,
    Hand,
}

/// A crate with one file of tests.
pub(crate) struct Crate {
    pub(crate) directory: PathBuf,
    style: Style,
    tests: usize,
}

impl Crate {
    /// Makes the crate below `place`, with the framework in `root` as its dependency.
    pub(crate) fn make(root: &Path, place: &Path, style: Style, tests: usize) -> io::Result<Self> {
        let name = match style {
            Style::Attribute => "attribute",
            Style::Hand => "hand",
        };
        let made = Self {
            directory: place.join(name),
            style,
            tests,
        };
        fs::create_dir_all(made.directory.join("tests"))?;
        fs::create_dir_all(made.directory.join("src"))?;
        fs::write(made.directory.join("src/lib.rs"), "")?;
        // The crate is a workspace of its own: otherwise cargo would take it for a member of ours. It
        // uses our lock file.
        fs::copy(root.join("Cargo.lock"), made.directory.join("Cargo.lock"))?;
        let fixtures = root.join("fixtures");
        let manifest = format!(
            "[package]\nname = \"macro-cost-{name}\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [dev-dependencies]\nmanaged-daemons = {{ path = {fixtures:?} }}\n\n[workspace]\n"
        );
        fs::write(made.directory.join("Cargo.toml"), manifest)?;
        made.change(usize::MAX)?;
        Ok(made)
    }

    /// Changes one of its tests, as a developer would.
    pub(crate) fn change(&self, round: usize) -> io::Result<()> {
        let mut text = String::from("use managed_daemons::*;\n");
        for number in 0..self.tests {
            // Ports are above 1023, so this holds in every round.
            let least = if number == 0 { round % 1000 } else { 0 };
            let body = format!("assert!(redis.port() > {least});");
            let _ = match self.style {
                Style::Attribute => write!(
                    text,
                    "\n#[with_redis]\n#[test]\nfn test_{number}(redis: RedisDaemon) {{\n    {body}\n}}\n"
                ),
                Style::Hand => write!(
                    text,
                    "\n#[test]\nfn test_{number}() {{\n    let redis = RedisDaemon::start().unwrap();\n    {body}\n}}\n"
                ),
            };
        }
        fs::write(self.directory.join("tests/all.rs"), text)
    }
}

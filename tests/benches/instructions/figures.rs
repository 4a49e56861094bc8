//! The recorded figures, and the conditions they hold for.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{json, Value};

/// What the counts depend on besides our code. If any of it differs, the counts are printed but
/// not judged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conditions(BTreeMap<String, String>);

impl Conditions {
    /// The conditions of this run. `origin` says how Redis was found, since that changes the
    /// commands that run.
    pub(crate) fn here(origin: &str) -> Self {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let user = match nix::unistd::geteuid().is_root() {
            true => "root",
            false => "an ordinary one",
        };
        Self(BTreeMap::from([
            (String::from("rustc"), first_line(Command::new(rustc).arg("--version"))),
            (
                String::from("libc"),
                first_line(Command::new("getconf").arg("GNU_LIBC_VERSION")),
            ),
            (String::from("machine"), String::from(std::env::consts::ARCH)),
            (String::from("user"), String::from(user)),
            (String::from("redis"), String::from(origin)),
        ]))
    }

    /// The conditions that differ, one line each.
    pub(crate) fn differences(&self, recorded: &Self) -> Vec<String> {
        let differing = self.0.iter().filter(|(name, here)| recorded.0.get(*name) != Some(here));
        let line = |(name, here): (&String, &String)| {
            let before = recorded.0.get(name).map_or("unknown", String::as_str);
            format!("{name}: {here}; the recorded figures are for {before}")
        };
        differing.map(line).collect()
    }
}

/// The content of the file.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) conditions: Conditions,
    /// By how much a count may exceed the recorded one, in percent.
    pub(crate) allowance: u64,
    /// Instructions per part.
    pub(crate) instructions: BTreeMap<String, u64>,
}

impl Figures {
    pub(crate) fn path() -> PathBuf {
        PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/benches/instructions/figures.json"
        ))
    }

    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let value: Value = serde_json::from_slice(&std::fs::read(Self::path())?)?;
        Ok(Self {
            conditions: Conditions(serde_json::from_value(value["conditions"].clone())?),
            allowance: serde_json::from_value(value["allowance_percent"].clone())?,
            instructions: serde_json::from_value(value["instructions"].clone())?,
        })
    }

    pub(crate) fn write(&self) -> Result<(), Box<dyn Error>> {
        let value = json!({
            "conditions": self.conditions.0,
            "allowance_percent": self.allowance,
            "instructions": self.instructions,
        });
        Ok(std::fs::write(Self::path(), format!("{value:#}\n"))?)
    }
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    text.lines().next().unwrap_or("unknown").to_owned()
}

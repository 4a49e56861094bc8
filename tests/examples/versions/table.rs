//! The table, as Markdown.

use std::fmt::Write;

/// What has come of one attempt.
#[derive(Debug)]
pub(crate) enum Cell {
    Works {
        column: &'static str,
        version: String,
    },
    /// The source does not have it.
    Missing,
    Fails {
        column: &'static str,
        problem: String,
    },
}

impl Cell {
    pub(crate) fn of(column: &'static str, outcome: Result<Option<String>, String>) -> Self {
        match outcome {
            Ok(Some(version)) => Self::Works { column, version },
            Ok(None) => Self::Missing,
            Err(problem) if problem.contains("did not start: no usable binary") => Self::Missing,
            Err(problem) => Self::Fails { column, problem },
        }
    }
}

/// What has come of one daemon.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) oldest: String,
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    pub(crate) fn failures(&self) -> usize {
        let fails = |cell: &&Cell| matches!(cell, Cell::Fails { .. });
        self.cells.iter().filter(fails).count()
    }

    /// The versions of one source, and `fails` for each that does not work.
    fn versions(&self, of: &str) -> String {
        let cells = self.cells.iter().filter_map(|cell| match cell {
            Cell::Works { column, version } if *column == of => Some(upstream(version)),
            Cell::Fails { column, problem } if *column == of => Some(format!(
                "fails: {}",
                problem.lines().next().unwrap_or_default().replace('|', "\\|")
            )),
            _ => None,
        });
        cells.collect::<Vec<_>>().join(", ")
    }
}

pub(crate) fn text(host: &str, columns: &[&str], rows: &[Row]) -> String {
    let mut text = format!(
        "<!-- Written by `cargo run -p managed-daemons-tests --example versions`. -->\n\n\
         Each of these was started on {host}, as the package of that suite of Debian, or of npm; used through its \
         protocol; restarted, with its data still there; and removed. An empty cell: not there, too old, or not tried. An \
         older version than the *oldest* is refused before anything is fetched.\n\n"
    );
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    let names = ["daemon", "oldest"].into_iter().chain(columns.iter().copied());
    line(&mut names.clone().map(str::to_owned));
    line(&mut names.map(|_| String::from("---")));
    for row in rows {
        let own = [row.name.to_owned(), row.oldest.clone()].into_iter();
        line(&mut own.chain(columns.iter().map(|column| row.versions(column))));
    }
    text
}

/// The version without what the distribution adds to it.
fn upstream(version: &str) -> String {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    version.chars().take_while(|c| is_part(*c)).collect()
}

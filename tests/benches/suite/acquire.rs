//! How long a test waits for its database, and for its removal, beside a bare `CREATE DATABASE …
//! TEMPLATE` on an open connection.

use crate::crate_of_suites::CrateOfSuites;
use crate::measured::{mark, median, percentile};
use crate::Failure;

/// The program of the made crate that does it.
pub(crate) const PROGRAM: &str = "acquire";
/// Rounds before the last ones, which must not take longer than the first ones.
const BEFORE: usize = 1000;
/// Rounds at the beginning and at the end that are compared.
const COMPARED: usize = 100;
const BARE: &str = "bare";
const SHARED: &str = "shared";
/// A database of a shared server takes at most this many times as long as a bare one.
const AT_MOST: f64 = 1.2;

/// What the program has printed: who made a database, and how many milliseconds it took to make and
/// to remove it.
pub(crate) struct Acquisitions(Vec<(String, f64, f64)>);

impl Acquisitions {
    pub(crate) fn measure(made: &CrateOfSuites) -> Result<Self, Failure> {
        eprintln!("{PROGRAM}: {} databases …", BEFORE + COMPARED);
        let rounds = (BEFORE + COMPARED).to_string();
        let output = made
            .cargo()
            .args(["run", "--offline", "--quiet", "--bin", PROGRAM, &rounds])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let lines = String::from_utf8(output.stdout)?;
        lines.lines().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Prints all times. Returns whether the promise is kept, where it could be tested.
    pub(crate) fn print(&self) -> bool {
        println!("\nA PostgreSQL database of 20 tables: median and 99th percentile in ms.\n");
        println!("{:26} {:>16} {:>16}", "", "make", "remove");
        let mut kept = true;
        for (when, first) in [("the first 100", 0), ("after 1,000", BEFORE)] {
            let mut medians = Vec::new();
            for who in [BARE, SHARED] {
                let all = self.0.iter().filter(|(name, ..)| name == who);
                let (make, remove): (Vec<f64>, Vec<f64>) = all
                    .skip(first)
                    .take(COMPARED)
                    .map(|(_, make, remove)| (make, remove))
                    .unzip();
                if !make.is_empty() {
                    println!(
                        "{:26} {:>16} {:>16}",
                        format!("{who}, {when}"),
                        both(&make),
                        both(&remove)
                    );
                    medians.push(median(&make));
                }
            }
            if let [bare, shared] = medians[..] {
                let ratio = shared / bare;
                kept &= ratio <= AT_MOST;
                println!("  shared / bare: {ratio:.2} (≤{AT_MOST}){}", mark(ratio <= AT_MOST));
            }
        }
        kept
    }
}

fn both(times: &[f64]) -> String {
    format!("{:.1} {:.1}", median(times), percentile(times, 99))
}

fn parse(line: &str) -> Result<(String, f64, f64), Failure> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        [who, make, remove] => Ok((who.to_owned(), make.parse()?, remove.parse()?)),
        _ => Err(format!("`{PROGRAM}` printed {line:?}").into()),
    }
}

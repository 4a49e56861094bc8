//! The measured times of a suite, as text.

use crate::runner::Runner;
use crate::suite::{Suite, Way};

/// How many seconds each run took.
#[derive(Default)]
pub(crate) struct Measured(Vec<(Runner, Way, f64)>);

impl Measured {
    pub(crate) fn add(&mut self, runner: Runner, way: Way, seconds: f64) {
        self.0.push((runner, way, seconds));
    }

    /// The median of these runs; `None` if there was none.
    fn median(&self, runner: Runner, way: Way) -> Option<f64> {
        let runs = self.0.iter().filter(|run| (run.0, run.1) == (runner, way));
        let times: Vec<f64> = runs.map(|run| run.2).collect();
        (!times.is_empty()).then(|| median(&times))
    }

    /// Prints all medians and ratios. Returns whether all promises are kept that could be tested.
    pub(crate) fn print(&self, suite: &Suite) -> bool {
        println!("{}", suite.title);
        for contestant in suite.contestants() {
            let medians = Runner::ALL.map(|runner| self.median(runner, contestant.way).unwrap_or_default());
            println!(
                "  {:34} {:>17.2} {:>17.2}",
                contestant.way.name(),
                medians[0],
                medians[1]
            );
        }
        let mut kept = true;
        for promise in suite.promises {
            let ratios = Runner::ALL.map(|runner| {
                let shared = self.median(runner, Way::Shared);
                let other = self.median(runner, promise.compared_with);
                let Some((shared, other)) = shared.zip(other) else {
                    return String::from("-");
                };
                let ratio = shared / other;
                let is_kept = ratio <= promise.at_most || !promise.runners.contains(&runner);
                kept &= is_kept;
                format!("{ratio:.2}{}", mark(is_kept))
            });
            let name = format!("shared / {} (≤{:.2})", promise.compared_with.name(), promise.at_most);
            println!("    {name:32} {:>17} {:>17}", ratios[0], ratios[1]);
        }
        kept
    }
}

pub(crate) fn print_head(rounds: usize) {
    println!(
        "\nWhole suites: medians in seconds, from {rounds} interleaved rounds, and ratios with what is promised.\n"
    );
    println!("{:36} {:>17} {:>17}", "", Runner::ALL[0].name(), Runner::ALL[1].name());
}

/// Follows a ratio: whether it is as promised.
pub(crate) fn mark(is_kept: bool) -> &'static str {
    if is_kept {
        ""
    } else {
        " !"
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.len() * percent / 100;
    sorted.get(at).copied().unwrap_or_default()
}

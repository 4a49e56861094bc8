//! The measured times of one daemon, and their medians.

use std::time::Duration;

use crate::subject::{Ours, Subject, Times};

/// The times of one daemon, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) exec: Vec<Duration>,
    pub(crate) floor: Vec<Times>,
    pub(crate) ours: Vec<Ours>,
    pub(crate) whole: Vec<Times>,
    pub(crate) peers: Vec<MeasuredPeer>,
}

/// The times of one peer, or why it could not be measured.
#[derive(Debug)]
pub(crate) struct MeasuredPeer {
    pub(crate) name: &'static str,
    pub(crate) is_whole: bool,
    pub(crate) target: Option<f64>,
    pub(crate) times: Result<Vec<Times>, String>,
}

/// A ratio, and its target if it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    pub(crate) target: Option<Target>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Ratio {
    pub(crate) fn meets_target(self) -> bool {
        match self.target {
            None => true,
            Some(Target::AtMost(bound)) => self.value <= bound,
            Some(Target::AtLeast(bound)) => self.value >= bound,
        }
    }
}

/// The median in milliseconds.
pub(crate) fn median(times: impl IntoIterator<Item = Duration>) -> f64 {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort_unstable();
    let middle = times.len() / 2;
    let median = match times.len() % 2 {
        _ if times.is_empty() => return f64::NAN,
        0 => (times[middle - 1] + times[middle]) / 2,
        _ => times[middle],
    };
    ms(median)
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Measured {
    pub(crate) fn our_start(&self) -> f64 {
        median(self.ours.iter().map(|ours| ours.times.start))
    }

    pub(crate) fn our_sum(&self) -> f64 {
        median(self.ours.iter().map(|ours| ours.times.sum()))
    }

    pub(crate) fn floor_start(&self) -> f64 {
        median(self.floor.iter().map(|floor| floor.start))
    }

    pub(crate) fn floor_sum(&self) -> f64 {
        median(self.floor.iter().map(|floor| floor.sum()))
    }

    /// Our start to the floor's, our start to running the binary alone, and our removal to the
    /// floor's.
    pub(crate) fn ratios(&self, subject: &Subject) -> [Ratio; 3] {
        let removal = median(self.ours.iter().map(|ours| ours.times.removal));
        let floor_removal = median(self.floor.iter().map(|floor| floor.removal));
        let at_most = |value, bound| Ratio {
            value,
            target: Some(Target::AtMost(bound)),
        };
        [
            at_most(self.our_start() / self.floor_start(), subject.targets.to_floor),
            at_most(
                self.our_start() / median(self.exec.iter().copied()),
                subject.targets.to_exec,
            ),
            at_most(removal / floor_removal, 1.5),
        ]
    }

    /// A peer's start and removal in milliseconds, and their ratio to ours.
    pub(crate) fn peer_ratio(&self, peer: &MeasuredPeer) -> Option<(f64, Ratio)> {
        let times = peer.times.as_ref().ok()?;
        let theirs = median(times.iter().map(|times| times.sum()));
        let ours = match peer.is_whole {
            true => median(self.whole.iter().map(|times| times.sum())),
            false => self.our_sum(),
        };
        let ratio = Ratio {
            value: theirs / ours,
            target: peer.target.map(Target::AtLeast),
        };
        Some((theirs, ratio))
    }
}

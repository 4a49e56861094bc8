//! The figures as text.
#![allow(clippy::print_stdout)]

use crate::measured::{median, ms, Measured, Ratio, Target};
use crate::subject::Subject;

pub(crate) fn print(results: &[(&Subject, Measured)]) {
    println!("\nStart until the first answer over TCP, and removal (rm): medians in ms, from interleaved rounds.\n");
    println!(
        "{:14} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   {:14} {:14} {:14}",
        "daemon",
        "rounds",
        "exec",
        "floor",
        "ours",
        "start()",
        "floor rm",
        "our rm",
        "ours/floor",
        "ours/exec",
        "removal"
    );
    for (subject, measured) in results {
        let returned = median(measured.ours.iter().map(|ours| ours.returned));
        println!(
            "{:14} {:>6} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}   {:14} {:14} {:14}",
            subject.name,
            measured.ours.len(),
            median(measured.exec.iter().copied()),
            measured.floor_start(),
            measured.our_start(),
            returned,
            median(measured.floor.iter().map(|floor| floor.removal)),
            median(measured.ours.iter().map(|ours| ours.times.removal)),
            format_ratio(measured.ratios(subject)[0]),
            format_ratio(measured.ratios(subject)[1]),
            format_ratio(measured.ratios(subject)[2]),
        );
    }
    if results.iter().all(|(_, measured)| measured.peers.is_empty()) {
        return;
    }
    println!(
        "\nStart and removal in ms, each peer and ours. A peer that is a command is compared with a whole command of ours.\n"
    );
    println!(
        "{:28} {:>6} {:>10} {:>10}   peer/ours",
        "peer", "rounds", "theirs", "ours"
    );
    for (_, measured) in results {
        for peer in &measured.peers {
            match (&peer.times, measured.peer_ratio(peer)) {
                (Ok(times), Some((theirs, ratio))) => println!(
                    "{:28} {:>6} {:>10.1} {:>10.1}   {}",
                    peer.name,
                    times.len(),
                    theirs,
                    theirs / ratio.value,
                    format_ratio(ratio)
                ),
                (Err(why), _) => println!("{:28} not measured: {why}", peer.name),
                (Ok(_), None) => {}
            }
        }
    }
}

/// Every single time, for your own analysis.
pub(crate) fn csv(results: &[(&Subject, Measured)]) -> String {
    let mut lines = String::from("daemon,what,start ms,removal ms\n");
    for (subject, measured) in results {
        let mut line = |what: &str, start: f64, removal: f64| {
            lines.push_str(&format!("{},{what:?},{start:.3},{removal:.3}\n", subject.name));
        };
        for time in &measured.exec {
            line("exec", ms(*time), 0.0);
        }
        for times in &measured.floor {
            line("floor", ms(times.start), ms(times.removal));
        }
        for ours in &measured.ours {
            line("ours", ms(ours.times.start), ms(ours.times.removal));
        }
        for times in &measured.whole {
            line("ours, a whole command", ms(times.start), 0.0);
        }
        for peer in &measured.peers {
            for times in peer.times.iter().flatten() {
                line(peer.name, ms(times.start), ms(times.removal));
            }
        }
    }
    lines
}

fn format_ratio(ratio: Ratio) -> String {
    let mark = if ratio.meets_target() { "" } else { " !" };
    match ratio.target {
        None => format!("{:.2}", ratio.value),
        Some(Target::AtMost(bound)) => format!("{:.2} (≤{bound}){mark}", ratio.value),
        Some(Target::AtLeast(bound)) => format!("{:.1} (≥{bound}){mark}", ratio.value),
    }
}

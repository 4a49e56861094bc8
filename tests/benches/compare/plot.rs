//! The figures as a bar chart on a logarithmic scale, with colours for light and dark pages.

use crate::measured::Measured;
use crate::subject::Subject;

const WIDTH: f64 = 860.0;
/// Where the bars begin.
const LEFT: f64 = 210.0;
/// The width of a factor of ten.
const DECADE: f64 = 145.0;
const BAR: f64 = 16.0;
const STEP: f64 = 20.0;
const HEAD: f64 = 52.0;
/// The scale, in powers of ten of a millisecond.
const SCALE: std::ops::RangeInclusive<i32> = 0..=4;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}\
.group{font-weight:600}.scale{fill:#57606a}.line{stroke:#d0d7de}.floor{fill:#8c959f}.ours{fill:#1a7f37}.peer{fill:#bf8700}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.scale{fill:#8d96a0}.line{stroke:#30363d}.floor{fill:#6e7681}\
.ours{fill:#3fb950}.peer{fill:#d29922}}";

/// One bar of the chart.
struct Bar<'a> {
    class: &'static str,
    label: &'a str,
    ms: f64,
}

pub(crate) fn svg(results: &[(&Subject, Measured)]) -> String {
    let mut body = String::new();
    let mut y = HEAD;
    for (subject, measured) in results {
        let mut bars = vec![
            Bar {
                class: "floor",
                label: "a bare loop",
                ms: measured.floor_sum(),
            },
            Bar {
                class: "ours",
                label: "managed-daemons",
                ms: measured.our_sum(),
            },
        ];
        for peer in &measured.peers {
            if let Some((ms, _)) = measured.peer_ratio(peer) {
                bars.push(Bar {
                    class: "peer",
                    label: peer.name,
                    ms,
                });
            }
        }
        y += STEP * 0.4;
        body.push_str(&text(8.0, y + BAR * 0.8, "group", subject.name));
        y += STEP;
        for bar in bars {
            let end = x_of(bar.ms);
            body.push_str(&text(20.0, y + BAR * 0.8, "", bar.label));
            body.push_str(&format!(
                "<rect class=\"{}\" x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>\n",
                bar.class,
                end - LEFT
            ));
            body.push_str(&text(end + 6.0, y + BAR * 0.8, "", &with_unit(bar.ms)));
            y += STEP;
        }
    }
    let mut scale = String::new();
    for power in SCALE {
        let x = LEFT + DECADE * f64::from(power);
        scale.push_str(&format!(
            "<line class=\"line\" x1=\"{x}\" y1=\"{HEAD}\" x2=\"{x}\" y2=\"{y}\"/>\n"
        ));
        scale.push_str(&text(x - 10.0, HEAD - 6.0, "scale", &with_unit(10_f64.powi(power))));
    }
    let height = y + 12.0;
    let title = text(
        8.0,
        20.0,
        "title",
        "Time to start and remove a daemon: median, logarithmic scale, shorter is better",
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n{title}{scale}{body}</svg>\n"
    )
}

fn x_of(ms: f64) -> f64 {
    LEFT + DECADE * ms.max(1.0).log10()
}

fn with_unit(ms: f64) -> String {
    match ms {
        ms if ms >= 1000.0 => format!("{} s", (ms / 100.0).round() / 10.0),
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms => format!("{} ms", (ms * 10.0).round() / 10.0),
    }
}

/// Escapes nothing: no text here contains a character that is special in XML.
fn text(x: f64, y: f64, class: &str, text: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n")
}

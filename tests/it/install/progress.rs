//! What a person sees while something is fetched.

use std::process::Command;

use crate::provision_proxy::{Fate, Proxy};
use crate::provision_support::{cache_with_lists, public_directory, Probe};

#[test]
fn the_lines_get_past_libtests_capture() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let asked = Probe::fetching("redis", &cache).command();
    let mut command = Command::new(asked.get_program());
    command.args(asked.get_args().filter(|a| *a != "--nocapture"));
    for (name, value) in asked.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    // libtest shows nothing of a test that passes.
    assert!(
        output.status.success() && !stdout.contains("probe answer"),
        "{output:?}"
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("managed-daemons: fetching redis into"), "{stderr}");
    assert!(stderr.contains("managed-daemons: fetched redis@"), "{stderr}");
}

#[test]
fn a_terminal_gets_a_bar() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let proxy = Proxy::new(|url| if url.ends_with(".deb") { Fate::Slow } else { Fate::Pass });
    // `script` runs a command on a terminal of its own.
    let asked = Probe::fetching("redis", &cache)
        .var("http_proxy", &proxy.url())
        .command();
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''"));
    let line: Vec<String> = std::iter::once(asked.get_program())
        .chain(asked.get_args())
        .map(quoted)
        .collect();
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
    let set = asked.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let output = command
        .envs(set)
        .env("SHELL", "/bin/sh")
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let bars: Vec<&str> = text
        .split('\r')
        .filter(|l| l.contains('[') && l.contains(" %"))
        .collect();
    assert!(bars.len() > 2, "{text:?}");
    assert!(
        bars.iter().any(|bar| bar.contains(" MB [") && bar.contains('=')),
        "{bars:?}"
    );
    // It is wiped when all is done.
    assert!(text.contains("\r\u{1b}[Kmanaged-daemons: fetched redis@"), "{text:?}");
}

#[test]
fn a_log_gets_lines_and_no_bar() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let proxy = Proxy::new(|url| if url.ends_with(".deb") { Fate::Slow } else { Fate::Pass });
    let answer = Probe::fetching("redis", &cache).var("http_proxy", &proxy.url()).ask();
    assert!(answer.path().starts_with(&cache));
    assert!(!answer.stderr.contains(['\r', '[']), "{:?}", answer.stderr);
    assert!(
        answer.stderr.lines().all(|l| l.starts_with("managed-daemons: ")),
        "{:?}",
        answer.stderr
    );
}

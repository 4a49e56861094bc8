//! What a user sees while a daemon is fetched.

use std::process::Command;

use managed_daemons::{BinaryRequest, BinarySpec};

use super::probe::{cache_with_lists, public_directory, Probe};
use super::proxy::{Fate, Proxy};
use crate::support::run_tests;

/// The test below runs this one in a process whose environment makes it fetch Redis.
#[test]
fn redis_is_found() {
    let redis = BinarySpec::named("redis").unwrap();
    assert!(redis.locate(&BinaryRequest::default()).unwrap().path.is_file());
}

#[test]
fn progress_is_shown_though_libtest_captures_output() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let mut command = run_tests("install::progress::redis_is_found", directory.path());
    Probe::fetching("redis", &cache).set_environment(&mut command);
    let output = command.arg("--exact").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("managed-daemons: fetching redis into"), "{stderr}");
    assert!(stderr.contains("managed-daemons: fetched redis@"), "{stderr}");
}

#[test]
fn a_terminal_shows_a_progress_bar() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let proxy = Proxy::new(|url| if url.ends_with(".deb") { Fate::Slow } else { Fate::Pass });
    // `script` runs a command on a new terminal.
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
    // The bar is erased in the end.
    assert!(text.contains("\r\u{1b}[Kmanaged-daemons: fetched redis@"), "{text:?}");
}

#[test]
fn a_log_shows_lines_and_no_progress_bar() {
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

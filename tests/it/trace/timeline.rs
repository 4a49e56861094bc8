//! `managed-daemons timeline`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::{read, steps, VARIABLE};
use crate::support::{private_root, program, Run};

fn timeline(file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program!("command-line"));
    let Output { status, stdout, stderr } = command.arg("timeline").arg(file).args(more).output().unwrap();
    let (printed, error) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    // An error in plain text is all that it says.
    let text = match error.strip_prefix("managed-daemons: ") {
        Some(error) if printed.is_empty() => error.to_owned(),
        _ => printed + &error,
    };
    (status.code(), text)
}

/// A run in which a process starts a Redis and another two.
fn trace() -> (TempDir, PathBuf) {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    for count in 1..=2 {
        let mut sharer = run.start(&format!("own {count}"));
        for _ in 0..count {
            assert_eq!(sharer.line(), "started");
        }
        sharer.end();
    }
    run.end();
    run.assert_nothing_left();
    (dir, file)
}

#[test]
fn the_five_things_that_cost_most_are_in_columns() {
    let (_dir, file) = trace();
    let (code, text) = timeline(&file, &[]);
    assert_eq!(code, Some(0), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with(" steps, 0 tests with daemons, 2 processes"),
        "{text}"
    );
    assert_eq!(lines.len(), 10, "{text}");
    let (heads, rows) = (lines[2], &lines[3..8]);
    assert!(heads.starts_with("what costs most"), "{text}");
    // The numbers end where their heads do.
    for head in ["own time", "total", "count", "median", "longest"] {
        let end = heads.find(head).unwrap() + head.len();
        for row in rows {
            let row: Vec<char> = row.chars().collect();
            assert!(row[end - 1] != ' ' && row[end] == ' ', "{head}: {text}");
        }
    }
    let events = read(&file);
    for row in rows {
        let name = events.iter().find_map(|event| {
            let name = event["name"].as_str()?;
            row.starts_with(&format!("{name}  ")).then_some(name)
        });
        let count = steps(&events, name.unwrap_or_else(|| panic!("{text}")))
            .len()
            .to_string();
        let words: Vec<&str> = row.split_whitespace().collect();
        assert!(words.contains(&count.as_str()), "{count}: {text}");
        // No test is known, so the process is named.
        assert_eq!(words.last(), Some(&"sharer"), "{text}");
    }
}

#[test]
fn json_has_the_same() {
    let (_dir, file) = trace();
    let (code, text) = timeline(&file, &["--json"]);
    assert_eq!(code, Some(0), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["processes"], 2);
    assert_eq!(report["tests"], 0);
    let costs = report["costs"].as_array().unwrap();
    assert_eq!(costs.len(), 5, "{text}");
    let number = |cost: &Value, name: &str| cost[name].as_f64().unwrap_or_else(|| panic!("{name}: {text}"));
    let events = read(&file);
    for cost in costs {
        assert_eq!(cost["daemon"], "redis");
        let steps = steps(&events, cost["what"].as_str().unwrap());
        assert_eq!(cost["count"], steps.len(), "{text}");
        let total: f64 = steps.iter().map(|step| step["dur"].as_f64().unwrap() / 1000.0).sum();
        assert!((number(cost, "total_ms") - total).abs() < 0.002, "{total}: {text}");
        assert!(number(cost, "own_ms") <= number(cost, "total_ms"), "{text}");
        assert!(number(cost, "median_ms") <= number(cost, "longest_ms"), "{text}");
        assert!(number(cost, "longest_ms") <= number(cost, "total_ms"), "{text}");
        assert!(total <= number(&report, "wall_ms"), "{text}");
    }
    let own: Vec<f64> = costs.iter().map(|cost| number(cost, "own_ms")).collect();
    assert!(own.is_sorted_by(|a, b| a >= b), "{text}");
}

/// Elsewhere, nobody tells which files a process has open.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_being_written_is_read_once_it_is_whole() {
    use std::os::unix::fs::FileExt;
    use std::process::Stdio;

    use nix::fcntl::{Flock, FlockArg};

    use crate::support::eventually;

    let (dir, file) = trace();
    let whole = fs::read(&file).unwrap();
    let live = dir.path().join("live.json");
    fs::write(&live, &whole[..whole.len() / 2]).unwrap();
    let opened = fs::OpenOptions::new().write(true).open(&live).unwrap();
    let lock = Flock::lock(opened, FlockArg::LockExclusive).unwrap();
    let mut command = Command::new(program!("command-line"));
    command.arg("timeline").arg(&live).stdout(Stdio::piped());
    let reader = command.spawn().unwrap();
    let descriptors = format!("/proc/{}/fd", reader.id());
    eventually("opened the file", || {
        let mut open = fs::read_dir(&descriptors).unwrap().flatten();
        match open.any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == live)) {
            true => Ok(()),
            false => Err("not yet"),
        }
    });
    lock.write_all_at(&whole, 0).unwrap();
    drop(lock);
    let Output { status, stdout, .. } = reader.wait_with_output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{text}");
    assert_eq!(text, timeline(&file, &[]).1);
}

#[test]
fn what_is_no_trace_is_refused_with_a_reason() {
    let (dir, file) = trace();
    let path = |name: &str| dir.path().join(name);
    let whole = fs::read(&file).unwrap();
    fs::write(path("truncated.json"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path("empty.json"), "").unwrap();
    fs::write(path("text.json"), "three words here\n").unwrap();
    fs::write(
        path("other.json"),
        r#"[{"name":"a","ph":"X","ts":1,"dur":1,"pid":1,"tid":1}]"#,
    )
    .unwrap();
    fs::write(path("object.json"), r#"{"traceEvents":[]}"#).unwrap();
    for (name, problem) in [
        ("missing.json", "can't be read: No such file or directory"),
        ("truncated.json", "is truncated: it ends in line "),
        ("empty.json", "is empty: no process has written to it yet"),
        ("text.json", "is no trace of this crate: name the file that"),
        ("other.json", "is no trace of this crate: name the file that"),
        ("object.json", "is no trace of this crate: name the file that"),
    ] {
        let (code, text) = timeline(&path(name), &[]);
        assert_eq!(code, Some(1), "{text}");
        assert!(
            text.starts_with(&format!("`{}` {problem}", path(name).display())),
            "{text}"
        );
        let (code, text) = timeline(&path(name), &["--json"]);
        assert_eq!(code, Some(1), "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        assert!(report["error"].as_str().unwrap().contains(problem), "{text}");
    }
}

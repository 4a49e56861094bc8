//! `managed-daemons timeline`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::VARIABLE;
use crate::support::{private_root, program, Run};

fn timeline(file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program!("command-line"));
    let Output { status, stdout, stderr } = command.arg("timeline").arg(file).args(more).output().unwrap();
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    (status.code(), String::from_utf8(stdout).unwrap())
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
    let readiness = rows.iter().find(|row| row.starts_with("readiness redis "));
    let readiness: Vec<&str> = readiness
        .unwrap_or_else(|| panic!("{text}"))
        .split_whitespace()
        .collect();
    assert_eq!(readiness.last(), Some(&"sharer"));
    assert!(readiness.contains(&"3"), "{text}");
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
    for cost in costs {
        assert_eq!(cost["daemon"], "redis");
        assert!(number(cost, "own_ms") <= number(cost, "total_ms"), "{text}");
        assert!(number(cost, "median_ms") <= number(cost, "longest_ms"), "{text}");
        assert!(number(cost, "longest_ms") <= number(cost, "total_ms"), "{text}");
        assert!(number(cost, "total_ms") <= 3.0 * number(&report, "wall_ms"), "{text}");
    }
    let own: Vec<f64> = costs.iter().map(|cost| number(cost, "own_ms")).collect();
    assert!(own.is_sorted_by(|a, b| a >= b), "{text}");
    let starts = costs.iter().find(|cost| cost["what"] == "readiness redis").unwrap();
    assert_eq!(starts["count"], 3);
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

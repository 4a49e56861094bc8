//! The tables of settings in the documentation are whole and true: they have all that a server
//! itself says differs from its defaults.

mod bare;
mod memcached;
mod mysql;
mod postgres;
mod rabbitmq;
mod redis;
mod shared;
mod web;

use std::collections::BTreeMap;

/// What a server says of its settings: values by name.
type Settings = BTreeMap<String, String>;

/// The settings in the first column of a table; those with any value have none.
fn documented(table: &str) -> Vec<(String, Option<String>)> {
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.filter_map(|line| line.trim_start_matches('|').split(" | ").next());
    let spans = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let all = spans.map(|span| match span.split_once(" = ") {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (span.to_owned(), None),
    });
    all.collect()
}

/// Compares a table with what differs from the server's defaults. `now` tells the value of any
/// setting; `None` if this version does not have it.
#[track_caller]
fn assert_documented(table: &str, differing: &Settings, now: impl Fn(&str) -> Option<String>) {
    let documented = documented(table);
    assert!(!documented.is_empty(), "no table in {table}");
    let mut wrong = Vec::new();
    for (name, value) in differing {
        if !documented.iter().any(|(known, _)| known == name) {
            wrong.push(format!("not in the table: {name} = {value}"));
        }
    }
    for (name, value) in documented {
        match (value, now(&name)) {
            (Some(value), Some(now)) if normal(&value) != normal(&now) => {
                wrong.push(format!("the table says {name} = {value}, and the server {now}"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A value in the form in which servers may say the same: sizes in bytes, and `1` for `ON`.
fn normal(value: &str) -> String {
    let value = value.trim_matches('"');
    let size = |factor: u64, number: &str| number.parse::<u64>().ok().map(|number| (number * factor).to_string());
    let bytes = match value.char_indices().next_back() {
        Some((at, 'K')) => size(1 << 10, &value[..at]),
        Some((at, 'M')) => size(1 << 20, &value[..at]),
        _ => None,
    };
    bytes.unwrap_or_else(|| match value {
        "ON" => String::from("1"),
        "OFF" => String::from("0"),
        other => other.to_owned(),
    })
}

/// The settings that have another value than in a server that was told only where to listen.
fn differing(ours: &Settings, bare: &Settings) -> Settings {
    let differs = |(name, value): &(&String, &String)| bare.get(*name) != Some(*value);
    let differing = ours.iter().filter(differs);
    differing.map(|(name, value)| (name.clone(), value.clone())).collect()
}

//! Where the time of a run goes: the file, the program that reads it, and spans.

mod file;
mod killed;
mod prepare;
mod refused;
mod runs;
mod spans;
mod steps;
#[cfg(feature = "cli")]
mod timeline;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use boon::{Compiler, Schemas};
use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;

/// Names the file.
const VARIABLE: &str = "MANAGED_DAEMONS_TRACE";

/// What the Trace Event Format says of the events that we write.
const SCHEMA: &str = include_str!("trace/schema.json");

/// The events in a file, which has to be whole and as the format says.
#[track_caller]
fn read(file: &Path) -> Vec<Value> {
    // Without the lock, it may be seen while a process writes to it.
    let mut file = Flock::lock(File::open(file).unwrap(), FlockArg::LockShared).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    drop(file);
    let events: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let schema = serde_json::from_str(SCHEMA).unwrap();
    compiler.add_resource("schema.json", schema).unwrap();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&events, schema) {
        panic!("{error:#}\n{text}");
    }
    match events {
        Value::Array(events) => events,
        other => panic!("{other}"),
    }
}

/// The steps of this name.
fn steps<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    let has_name = |event: &&Value| event["ph"] == "X" && event["name"] == name;
    events.iter().filter(has_name).collect()
}

/// The names of the processes, such as `sharer`.
fn processes(events: &[Value]) -> Vec<&str> {
    let names = events.iter().filter(|event| event["name"] == "process_name");
    let mut names: Vec<&str> = names.map(|event| event["args"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The numbers of the processes that have done something.
fn pids(events: &[Value]) -> BTreeSet<u64> {
    let steps = events.iter().filter(|event| event["ph"] == "X");
    steps.map(|event| event["pid"].as_u64().unwrap()).collect()
}

/// When a step began and ended, in nanoseconds.
fn times(step: &Value) -> (i128, i128) {
    let nanoseconds = |value: &Value| (value.as_f64().unwrap() * 1000.0).round() as i128;
    let begun = nanoseconds(&step["ts"]);
    (begun, begun + nanoseconds(&step["dur"]))
}

//! Looks for a daemon's binary, as its argument describes it in JSON, and prints what was found.
//!
//! The search depends on environment variables and on the user, so the tests run it in a process of
//! its own.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // what goes wrong here fails a test

use std::path::PathBuf;

use managed_daemons::{AddOn, BinaryRequest, BinarySpec, RedisDaemon};
use serde_json::{json, Value};

/// Recipes name their programs in statics.
fn leak(value: &Value) -> &'static str {
    String::leak(value.as_str().unwrap_or_default().to_owned())
}

/// Starts Redis as a test would, and pings it.
fn serve() -> Value {
    let redis = match RedisDaemon::start() {
        Ok(redis) => redis,
        Err(error) => return json!({ "error": error.report() }),
    };
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let pong: String = redis::cmd("PING").query(&mut connection).unwrap();
    json!({ "path": redis.binary().to_str(), "version": redis.version(), "pong": pong })
}

fn main() {
    let question = std::env::args().nth(1).unwrap_or_default();
    let question: Value = serde_json::from_str(&question).unwrap();
    let answer = if question["serve"].is_boolean() {
        serve()
    } else {
        locate(&question)
    };
    println!("{answer}");
}

fn locate(question: &Value) -> Value {
    let spec = binary_spec(question);
    let request = BinaryRequest {
        path: question["path"].as_str().map(PathBuf::from),
        version: question["version"].as_str().map(str::to_owned),
        suite: question["suite"].as_str().map(str::to_owned),
        add_ons: question["add_on"].as_str().map(module).into_iter().collect(),
    };
    let binary = match spec.locate(&request) {
        Ok(binary) => binary,
        Err(error) => return json!({ "error": error.report() }),
    };
    let tools = question["tools"].as_array().into_iter().flatten();
    let tools = tools.map(|tool| {
        let path = binary.tool(tool.as_str().unwrap()).unwrap();
        let output = binary.command_of(&path).arg("--version").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    });
    let tools: Vec<String> = tools.collect();
    let environment = binary.env.iter();
    let environment =
        environment.map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()));
    // This comes last, because it sets a damaged installation aside.
    let verified = question["verify"].is_boolean().then(|| match binary.verify() {
        Ok(()) => String::from("whole"),
        Err(error) => error.report(),
    });
    json!({
        "path": binary.path.to_str(),
        "version": binary.version,
        "origin": binary.origin.to_string(),
        "prefix": binary.prefix.as_ref().and_then(|prefix| prefix.to_str()),
        "tools": tools,
        "env": environment.collect::<Vec<_>>(),
        "launcher": binary.launcher.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "verified": verified,
    })
}

fn module(name: &str) -> AddOn {
    AddOn::new("module", name)
        .file(&["modules"], "mod_", ".so")
        .apt(&[format!("example-{{major}}-{name}")], "example-{major}-")
}

/// The binary of one of the framework's daemons, or of any program.
fn binary_spec(question: &Value) -> BinarySpec {
    let spec = match question["program"].as_str() {
        None => *BinarySpec::named(question["daemon"].as_str().unwrap()).unwrap(),
        Some(_) => BinarySpec::new(leak(&question["daemon"]), leak(&question["program"]))
            .version_after(leak(&question["version_after"])),
    };
    let spec = match question["package"].is_string() {
        true => spec.apt(vec![leak(&question["package"])].leak()).without_version(),
        false => spec,
    };
    match question["well_known"].is_string() {
        true => spec.well_known(vec![leak(&question["well_known"])].leak()),
        false => spec,
    }
}

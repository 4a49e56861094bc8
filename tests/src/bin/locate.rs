//! What a [`Probe`](crate::provision_support::Probe) runs in its process.

use std::path::PathBuf;
use std::time::Instant;

use managed_daemons::{Installation, RedisDaemon, Wanted};
use serde_json::{json, Value};

use crate::provision_support::{MARK, QUESTION};

fn leak(value: &Value) -> &'static str {
    String::leak(value.as_str().unwrap_or_default().to_owned())
}

fn serve() -> Value {
    let redis = match RedisDaemon::start() {
        Ok(redis) => redis,
        Err(error) => return json!({ "error": error.report() }),
    };
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let pong: String = redis::cmd("PING").query(&mut connection).unwrap();
    json!({ "path": redis.binary().to_str(), "version": redis.version(), "pong": pong })
}

/// Not a test of its own: what a [`Probe`] starts.
#[test]
fn probe() {
    let Ok(question) = std::env::var(QUESTION) else {
        return;
    };
    let question: Value = serde_json::from_str(&question).unwrap();
    let mut installation = match question["program"].as_str() {
        None => *Installation::named(question["daemon"].as_str().unwrap()).unwrap(),
        Some(_) => Installation::new(leak(&question["daemon"]), leak(&question["program"]))
            .version_after(leak(&question["version_after"])),
    };
    if question["well_known"].is_string() {
        installation = installation.well_known(vec![leak(&question["well_known"])].leak());
    }
    let wanted = Wanted {
        path: question["path"].as_str().map(PathBuf::from),
        version: question["version"].as_str().map(str::to_owned),
        suite: question["suite"].as_str().map(str::to_owned),
    };
    if question["serve"].is_boolean() {
        println!("{MARK}{}", serve());
        return;
    }
    let started = Instant::now();
    let found = installation.locate(&wanted);
    let first = started.elapsed();
    let answer = match found {
        Err(error) => {
            json!({ "error": error.report(), "kind": format!("{error:?}"), "seconds": first.as_secs_f64() })
        }
        Ok(binary) => {
            let again = (0..100).map(|_| {
                let started = Instant::now();
                installation.locate(&wanted).unwrap();
                started.elapsed()
            });
            let again = again.min().unwrap();
            let tools = question["tools"].as_array().into_iter().flatten();
            let tools = tools.map(|tool| {
                let path = binary.tool(tool.as_str().unwrap()).unwrap();
                let output = binary.command_of(&path).arg("--version").output().unwrap();
                assert!(output.status.success(), "{output:?}");
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            });
            let tools: Vec<String> = tools.collect();
            let verified = question["verify"]
                .as_bool()
                .map(|_| binary.verify().map_err(|e| e.report()));
            let verified = verified.map(|v| v.err().unwrap_or_else(|| String::from("whole")));
            json!({
                "path": binary.path.to_str(),
                "version": binary.version,
                "origin": binary.origin.to_string(),
                "prefix": binary.prefix.as_ref().and_then(|p| p.to_str()),
                "env": binary.env.iter().map(|(n, v)| format!("{}={}", n.to_string_lossy(), v.to_string_lossy())).collect::<Vec<_>>(),
                "launcher": binary.launcher.iter().map(|l| l.to_string_lossy()).collect::<Vec<_>>(),
                "first_us": first.as_micros() as u64,
                "again_us": again.as_micros() as u64,
                "tools": tools,
                "verified": verified,
            })
        }
    };
    println!("{MARK}{answer}");
}

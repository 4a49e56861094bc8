//! A program for tests that kill a process or look at how it ends: `victim redis churn`, or
//! `victim redis leave 42`, where what is random follows from the seed 42.
//!
//! It writes lines to standard output: `begun` first, then what it has reached, and last the report
//! of an error, if there is one.
#![allow(clippy::panic, clippy::unwrap_used)] // a victim that panics fails its test, too

mod faults;
mod mysql;
mod postgres;
mod rabbitmq;
mod redis;
mod start;
mod web;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).take(2).collect();
    let action = match words.join(" ").as_str() {
        "faults disk" => faults::churn_disk,
        "faults exit" => faults::exit,
        "faults guards" => faults::churn_guards,
        "faults hold" => faults::hold,
        "faults proxy" => faults::churn_proxy,
        "redis abort" => redis::abort,
        "redis churn" => redis::churn,
        "redis exit" => redis::exit,
        "redis leave" => redis::leave,
        "redis fail" => redis::fail,
        "redis fork" => redis::fork,
        "redis hold" => redis::hold,
        "redis hold-eight" => redis::hold_eight,
        "redis once" => redis::once,
        "postgres churn" => postgres::churn,
        "mariadb churn" => mysql::churn_mariadb,
        "mysql churn" => mysql::churn_mysql,
        "rabbitmq churn" => rabbitmq::churn,
        "rabbitmq lose-port" => rabbitmq::lose_port,
        "rabbitmq once" => rabbitmq::once,
        "web churn" => web::churn,
        other => match other.strip_prefix("start ").and_then(start::of) {
            Some(start) => start,
            None => {
                say(&format!("there is no victim `{other}`"));
                return ExitCode::FAILURE;
            }
        },
    };
    if arguments.last().is_some_and(|what| what == "churn") {
        // Without this, it would run for ever if its test were killed.
        std::thread::spawn(|| {
            wait_for_test();
            std::process::abort();
        });
    }
    say("begun");
    match action() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.report());
            ExitCode::FAILURE
        }
    }
}

/// Tells the test what this process has reached.
fn say(line: &str) {
    let mut out = std::io::stdout();
    // The test may have ended.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Waits until the test closes standard input or ends.
fn wait_for_test() {
    std::io::stdin().lines().for_each(drop);
}

/// What is random follows from the seed on the command line.
fn random() -> fastrand::Rng {
    let seed = std::env::args().nth(3).and_then(|seed| seed.parse().ok());
    fastrand::Rng::with_seed(seed.unwrap())
}

/// The working directory that outlives this process.
fn user_dir() -> PathBuf {
    std::env::var_os("VICTIM_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
}

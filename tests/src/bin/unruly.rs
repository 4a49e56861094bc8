//! A daemon that misbehaves on request. Its argument is a file with two lines: mode and port.
//!
//! It answers `HELLO` with `READY`, and `PID` with its process ID.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "--version" {
        println!("unruly 1.2.3");
        return ExitCode::SUCCESS;
    }
    if argument == "--stray" {
        return stray();
    }
    let Ok(text) = std::fs::read_to_string(&argument) else {
        eprintln!("cannot read {argument}");
        return ExitCode::from(2);
    };
    let mut lines = text.lines();
    let mode = lines.next().unwrap_or_default();
    let port = lines.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    match mode {
        "exit-at-once" => {
            eprintln!("cannot go on: the moon is in the wrong phase");
            return ExitCode::from(7);
        }
        "never-ready" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "flood" => flood(),
        "ignore-term" => {
            // Blocking the signal takes no `unsafe`, unlike ignoring it.
            let _ = SigSet::from(Signal::SIGTERM).thread_block();
        }
        // A grandchild in another session, with `/` as its directory: a classic daemon.
        "double-fork" => start_stray(),
        // A child in the same process group, which outlives its parent.
        "child" => {
            let _ = Command::new("sleep").arg("3600").spawn();
        }
        _ => {}
    }
    let listener = match TcpListener::bind(("127.0.0.1", port)) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {port}: {error}");
            return ExitCode::FAILURE;
        }
    };
    #[cfg(target_os = "linux")]
    if mode == "first-thread-ends" {
        std::thread::spawn(move || {
            serve(listener, false);
            std::process::exit(0)
        });
        // SAFETY: this ends the calling thread alone, and nothing borrows from its stack.
        unsafe { nix::libc::syscall(nix::libc::SYS_exit, 0) };
        return ExitCode::FAILURE;
    }
    serve(listener, mode == "silent");
    ExitCode::SUCCESS
}

fn serve(listener: TcpListener, silent: bool) {
    let mut kept = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if silent {
            kept.push(stream);
            continue;
        }
        let mut line = String::new();
        let mut reader = BufReader::new(&stream);
        let _ = reader.read_line(&mut line);
        let answer = match line.trim() {
            "HELLO" => String::from("READY"),
            "PID" => std::process::id().to_string(),
            // Stops listening, and goes on.
            "CLOSE" => break,
            "EXIT" => return,
            _ => String::from("WHAT"),
        };
        let _ = writeln!(&stream, "{answer}");
    }
    drop(listener);
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn start_stray() {
    if let Ok(program) = std::env::current_exe() {
        if let Ok(mut child) = Command::new(program).arg("--stray").spawn() {
            let _ = child.wait();
        }
    }
}

fn stray() -> ExitCode {
    if nix::unistd::daemon(false, false).is_err() {
        return ExitCode::FAILURE;
    }
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn flood() {
    std::thread::spawn(|| {
        let line = "all work and no play makes a daemon dull\n".repeat(1000);
        // 40 MB: far more than any pipe holds, and a bearable amount of memory.
        for _ in 0..1000 {
            let _ = std::io::stdout().write_all(line.as_bytes());
        }
    });
}

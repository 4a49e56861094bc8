//! Killed with its web servers at any moment of their lives, a test process leaves nothing: no worker, directory or socket.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use managed_daemons::{ApacheDaemon, MemcachedDaemon, NginxDaemon};

use crate::support::{assert_nothing_left, private_root};

const KILLS: u32 = 60;

/// Starts, reloads and drops, until it is killed.
#[test]
#[ignore = "to be killed by the test below"]
fn churns() {
    let mut out = std::io::stdout();
    writeln!(out, "begins").and_then(|()| out.flush()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| loop {
            if let Ok(nginx) = NginxDaemon::start() {
                let _ = nginx.reload();
            }
        });
        scope.spawn(|| loop {
            if let Ok(apache) = ApacheDaemon::start() {
                let _ = apache.graceful();
            }
        });
        scope.spawn(|| loop {
            drop(MemcachedDaemon::builder().unix_socket().start());
        });
    });
}

#[test]
fn after_sigkill_at_any_moment() {
    for kill in 0..KILLS {
        let root = private_root();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "web::killed::churns"])
            .env("MANAGED_DAEMONS_TMPDIR", root.path())
            .env("MANAGED_DAEMONS_KEEP", "never")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(victim.stdout.as_mut().unwrap());
        assert!(output.lines().any(|line| line.unwrap() == "begins"));
        // From before the first start to the second round: a reload of nginx takes 100 ms and more.
        std::thread::sleep(Duration::from_millis(u64::from(kill) * 5));
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_nothing_left(root.path());
    }
}

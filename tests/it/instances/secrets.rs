//! Passwords are in files of their owner's, and on no command line.

use std::os::unix::fs::MetadataExt;
use std::process::{Child, Stdio};

use super::Instances;
use crate::support::{eventually, is_root};

const PASSWORD: &str = "s3cret-of-this-test";

/// The command lines of all processes that have this text in it.
fn command_lines_with(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

#[test]
fn passwords_are_on_no_command_line_of_a_client() {
    if !std::path::Path::new("/proc/self/cmdline").exists() {
        return;
    }
    let instances = Instances::new();
    // From the project's file, so that they are not on the command line of `start` either.
    instances.write_file(&format!(
        "[redis]\npassword = \"{PASSWORD}\"\n[postgres]\npassword = \"{PASSWORD}\"\n"
    ));
    let shown = instances.shown(&["start", "dev"]);
    let redis = shown[0].port().to_string();
    let postgres = shown[1].port().to_string();
    let sleeping = |arguments: &[&str]| {
        let mut command = instances.command(arguments);
        // In the end, they say that the server is gone.
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let is_there = |client: &str, port: &str| {
        let lines = command_lines_with(port);
        let found = lines.iter().any(|line| line.contains(client) && line.contains("-p "));
        found.then_some(()).ok_or(lines)
    };
    let mut clients: Vec<Child> = vec![
        sleeping(&["cli", "dev", "redis", "--", "BLPOP", "nothing", "0"]),
        sleeping(&["psql", "dev", "--", "-XAtc", "SELECT pg_sleep(3600)"]),
    ];
    eventually("a client of Redis", || is_there("redis-cli", &redis));
    eventually("a client of PostgreSQL", || is_there("psql", &postgres));
    // They are connected, so what they have started to look up the password has ended.
    eventually("logged in", || {
        let waiting = instances.sql(
            "dev",
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
        );
        let blocked = instances.redis("dev", &["INFO", "clients"]);
        let both = waiting == "1" && blocked.contains("blocked_clients:1");
        both.then_some(()).ok_or((waiting, blocked))
    });
    assert_eq!(command_lines_with(PASSWORD), [""; 0]);
    for client in &mut clients {
        client.kill().unwrap();
        client.wait().unwrap();
    }
    instances.remove("dev");
}

#[test]
fn files_with_passwords_are_their_owners() {
    let instances = Instances::new();
    let file = instances.project.path().join(".env");
    std::fs::write(&file, "old").unwrap();
    let arguments = ["start", "dev", "redis", "--env-file", file.to_str().unwrap()];
    let shown = instances.shown(&arguments);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    let dir = instances.dir("dev");
    assert_eq!(mode(&dir.join("instance.json")), 0o600);
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&shown[0].dir), 0o700);
    assert_eq!(mode(&shown[0].dir.join("service.json")), 0o600);
    // The user that daemons run as passes through root's.
    assert_eq!(mode(&dir), if is_root() { 0o711 } else { 0o700 });
    instances.run(&["stop", "dev"]);
    instances.run(&["start", "dev"]);
    assert_eq!(mode(&dir.join("instance.json")), 0o600);
    instances.remove("dev");
}

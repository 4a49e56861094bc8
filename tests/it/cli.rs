//! The command line.

mod doctor;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;

use crate::install::probe::{cache_with_lists, cache_with_redis, public_directory, script, stored, write_program};
use crate::support::{eventually, program};

struct Run(Output);

impl Run {
    fn new(cache: &Path, arguments: &[&str]) -> Self {
        Self::with_programs_in("", cache, arguments)
    }

    /// Runs it with a directory of programs in front of `PATH`.
    fn with_programs_in(dir: &str, cache: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program!("command-line"));
        command.env("PATH", format!("{dir}:{}", std::env::var("PATH").unwrap()));
        command.args(arguments).env("MANAGED_DAEMONS_CACHE", cache);
        for variable in ["MANAGED_DAEMONS_PROVISION", "MANAGED_DAEMONS_REDIS_BIN"] {
            command.env_remove(variable);
        }
        Self(command.env("MANAGED_DAEMONS_PROVISION", "only").output().unwrap())
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout()).unwrap_or_else(|e| panic!("{e}: {:?}", self.0))
    }

    fn exit_code(&self) -> Option<i32> {
        self.0.status.code()
    }
}

#[test]
fn install_fetches_and_doctor_reports_and_clean_removes() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let installed = Run::new(&cache, &["install", "redis", "--json"]);
    assert_eq!(installed.exit_code(), Some(0), "{:?}", installed.0);
    let path = installed.json()["installed"][0]["path"].as_str().unwrap().to_owned();
    assert!(path.starts_with(cache.to_str().unwrap()));
    // The second time, nothing is downloaded.
    let again = Run::new(&cache, &["install", "redis"]);
    assert!(again.stdout().contains(&path), "{:?}", again.0);
    let stderr = String::from_utf8_lossy(&again.0.stderr).into_owned();
    assert!(stderr.contains("is up to date"), "{stderr}");

    let doctor = Run::new(&cache, &["doctor", "--json"]);
    assert_eq!(doctor.exit_code(), Some(0), "{:?}", doctor.0);
    let report = doctor.json();
    let redis = report["daemons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["name"] == "redis")
        .unwrap()
        .clone();
    assert_eq!(redis["missing"], false);
    assert_eq!(redis["found"]["path"], path.as_str());
    assert_eq!(redis["found"]["source"], "fetched, apt");
    assert!(redis["found"]["version"].is_string(), "{redis}");
    let nginx = report["daemons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["name"] == "nginx")
        .unwrap()
        .clone();
    let packages = serde_json::json!(["nginx", "libnginx-mod-stream"]);
    assert_eq!(nginx["would_fetch"]["source"], "apt");
    assert_eq!(nginx["would_fetch"]["packages"], packages);
    assert_eq!(report["installations"][0]["problems"].as_array().unwrap().len(), 0);
    let text = Run::new(&cache, &["doctor"]).stdout();
    for expected in ["temp root", "fetching    only", "\n  1 in `", ", whole", path.as_str()] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }

    let cleaned = Run::new(&cache, &["clean", "nginx", "--json"]);
    assert_eq!(cleaned.json()["removed"].as_array().unwrap().len(), 0);
    assert_eq!(stored(&cache, "redis").len(), 1);
    let cleaned = Run::new(&cache, &["clean"]);
    assert_eq!(cleaned.exit_code(), Some(0));
    assert!(stored(&cache, "redis").is_empty());
    assert!(!cache.join("apt").read_dir().is_ok_and(|mut d| d.next().is_some()));
}

#[test]
fn clean_removes_what_the_fetch_has_made_that_it_waited_for() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let elsewhere = directory.path().join("fetched");
    std::fs::rename(cache.join("store"), &elsewhere).unwrap();
    std::fs::create_dir(cache.join("locks")).unwrap();
    let path = cache.join("locks/redis.lock");
    for arguments in [&["clean", "redis"][..], &["clean"]] {
        let file = std::fs::File::create(&path).unwrap();
        let lock = Flock::lock(file, FlockArg::LockExclusive).unwrap();
        let mut command = Command::new(program!("command-line"));
        command
            .args(arguments)
            .env("MANAGED_DAEMONS_CACHE", &cache)
            .stdout(Stdio::piped());
        let child = command.spawn().unwrap();
        let fds = format!("/proc/{}/fd", child.id());
        eventually("waiting for the lock", || {
            let fds = Path::new(&fds).read_dir().into_iter().flatten().flatten();
            let mut open = fds.filter_map(|fd| fd.path().read_link().ok());
            open.any(|file| file == path).then_some(()).ok_or("not open")
        });
        let copied = Command::new("cp")
            .arg("-a")
            .arg(elsewhere.join("."))
            .arg(cache.join("store"))
            .status();
        assert!(copied.unwrap().success() && stored(&cache, "redis").len() == 1);
        drop(lock);
        let run = Run(child.wait_with_output().unwrap());
        assert_eq!(run.exit_code(), Some(0), "{:?}", run.0);
        assert!(stored(&cache, "redis").is_empty(), "{}", run.stdout());
    }
}

#[test]
fn each_command_knows_what_people_call_a_daemon() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    for (name, daemon) in [
        ("pg", "postgres"),
        ("postgresql", "postgres"),
        ("httpd", "apache"),
        ("apache2", "apache"),
        ("mariadb", "mariadb"),
        ("rabbit", "rabbitmq"),
        ("memcache", "memcached"),
    ] {
        let doctor = Run::new(&cache, &["doctor", name, daemon, "--json"]);
        let daemons = doctor.json()["daemons"].as_array().unwrap().clone();
        assert_eq!(daemons.len(), 1, "{daemons:?}");
        assert_eq!(daemons[0]["name"], daemon);
        let cleaned = Run::new(&cache, &["clean", name]);
        assert_eq!(cleaned.exit_code(), Some(0), "{:?}", cleaned.0);
        // This does not get as far as a fetch.
        let suite = ["--suite", "a b"];
        let installed = Run::new(&cache, &[&["install", name], &suite[..]].concat());
        assert!(
            installed.stdout().contains(&format!("{daemon}: option `suite`")),
            "{:?}",
            installed.0
        );
        let run = Run::new(&cache, &[&["run", "--no-file", name], &suite[..]].concat());
        let said = String::from_utf8_lossy(&run.0.stderr);
        assert!(said.contains("option `--suite`: \"a b\" can't be"), "{said}");
    }
}

#[test]
fn what_cannot_be_installed_is_reported_and_the_rest_is_installed() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let run = Run::new(&cache, &["install", "nosuch", "redis@99", "redis"]);
    assert_eq!(run.exit_code(), Some(1));
    let text = run.stdout();
    assert!(
        text.contains("there is no daemon `nosuch`; there are apache, "),
        "{text}"
    );
    assert!(
        text.contains("no usable binary of `redis-server`, version 99"),
        "{text}"
    );
    assert_eq!(stored(&cache, "redis").len(), 1);
}

#[test]
fn what_is_installed_within_minutes_updates_the_package_lists_once() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let (bin, updates) = (directory.path().join("bin"), directory.path().join("updates"));
    let apt = write_program(&bin, "apt-get", "");
    let counting = format!(
        "#!/bin/sh\ncase \" $* \" in *' update '*) echo update >>'{}';; esac\nexec /usr/bin/apt-get \"$@\"\n",
        updates.display()
    );
    script(&apt, &counting);
    let install = |daemons: &[&str]| {
        let arguments: Vec<&str> = ["install"].iter().chain(daemons).copied().collect();
        let run = Run::with_programs_in(bin.to_str().unwrap(), &cache, &arguments);
        assert_eq!(run.exit_code(), Some(0), "{:?}", run.0);
    };
    install(&["redis", "memcached"]);
    install(&["nginx"]);
    assert_eq!(std::fs::read_to_string(updates).unwrap(), "update\n");
    for daemon in ["redis", "memcached", "nginx"] {
        assert_eq!(stored(&cache, daemon).len(), 1, "{daemon}");
    }
}

#[test]
fn a_command_without_dashes_is_told_of_them() {
    let directory = public_directory();
    let run = Run::new(
        &directory.path().join("cache"),
        &["run", "--no-file", "redis", "cargo", "test"],
    );
    assert_eq!(run.exit_code(), Some(125));
    assert_eq!(run.stdout(), "");
    assert_eq!(
        String::from_utf8_lossy(&run.0.stderr),
        "managed-daemons: there is no daemon `cargo`; there are apache, mariadb, memcached, mysql, nginx, \
         postgres, rabbitmq, redis, valkey, and `--command` for any other program. The command of `run` comes after `--`\n"
    );
}

#[test]
fn mysql_that_the_distribution_lacks_comes_with_a_way_out() {
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !system.lines().any(|line| line == "ID=debian") {
        return;
    }
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let run = Run::new(&cache, &["install", "mysql"]);
    assert_eq!(run.exit_code(), Some(1), "{:?}", run.0);
    let said = run.stdout();
    for part in [
        "apt: has no package `mysql-server-core`",
        "`--suite sid`",
        "use `mariadb`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

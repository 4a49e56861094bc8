//! The command line.

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
        .find(|d| d["daemon"] == "redis")
        .unwrap()
        .clone();
    assert_eq!(redis["path"], path.as_str());
    let nginx = report["daemons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["daemon"] == "nginx")
        .unwrap()
        .clone();
    assert_eq!(nginx["would_fetch"], "apt: nginx libnginx-mod-stream");
    assert_eq!(report["installations"][0]["problems"].as_array().unwrap().len(), 0);
    let text = Run::new(&cache, &["doctor"]).stdout();
    for expected in [
        "temp root",
        "fetching    only",
        "1 in the cache",
        ", whole",
        path.as_str(),
    ] {
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
fn doctor_looks_at_the_machine() {
    let directory = public_directory();
    let report = Run::new(&directory.path().join("cache"), &["doctor", "redis", "--json"]).json();
    for key in [
        "user",
        "proc",
        "temp_root",
        "open_files",
        "processes",
        "loopback",
        "ipv6",
        "ports",
        "cache_key",
    ] {
        assert!(report[key].is_string(), "{key}: {}", report[key]);
    }
    assert_eq!(report["loopback"], "127.0.0.1");
    let key = format!(
        "managed-daemons-{}-{}",
        env!("CARGO_PKG_VERSION"),
        report["host"].as_str().unwrap()
    );
    assert_eq!(report["cache_key"], key);
    assert_eq!(report["daemons"].as_array().unwrap().len(), 1);

    for (limits, problem) in [
        (
            "ulimit -n 500",
            "  open files  BROKEN: 500 at most, where some daemons need 1024: raise it with `ulimit -n 1024`, as root \
             above the hard limit",
        ),
        (
            "export MANAGED_DAEMONS_TMPDIR=/proc",
            "  temp root   BROKEN: `/proc` can't be used: ",
        ),
    ] {
        let script = format!("{limits}; exec \"$0\" doctor memcached");
        let mut command = Command::new("bash");
        command.args(["-c", &script]).arg(program!("command-line"));
        let doctor = Run(command.env("MANAGED_DAEMONS_CACHE", directory.path()).output().unwrap());
        assert_eq!(doctor.exit_code(), Some(1), "{limits}");
        assert!(doctor.stdout().contains(problem), "{}", doctor.stdout());
    }
}

#[test]
fn daemons_of_root_need_capabilities() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let run = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-kill"]).arg(program!("command-line"));
        Run(command.args(arguments).output().unwrap())
    };
    let lacks = "daemons can't run as `nobody`: this process lacks the capabilities KILL";
    let doctor = run(&["doctor", "redis"]);
    assert_eq!(doctor.exit_code(), Some(1));
    assert!(doctor.stdout().contains(lacks), "{}", doctor.stdout());
    // Not a daemon that nothing can end.
    let started = run(&["run", "redis", "--", "true"]);
    assert_eq!(started.exit_code(), Some(125));
    let told = String::from_utf8_lossy(&started.0.stderr);
    assert!(told.contains(lacks), "{told}");
}

#[test]
fn doctor_says_how_to_get_what_is_missing() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let bin = directory.path().join("bin");
    let doctor = |manager: &str, arguments: &[&str]| {
        std::fs::remove_dir_all(&bin).unwrap_or_default();
        std::fs::create_dir(&bin).unwrap();
        script(&bin.join(manager), "#!/bin/sh\nexit 1\n");
        let mut command = Command::new(program!("command-line"));
        command.env("PATH", &bin).env("MANAGED_DAEMONS_CACHE", &cache);
        command.env("MANAGED_DAEMONS_PROVISION", "never");
        Run(command.arg("doctor").args(arguments).output().unwrap())
    };
    for (manager, command) in [
        ("dnf", "sudo dnf install "),
        ("pacman", "sudo pacman -S "),
        ("apk", "sudo apk add "),
        ("brew", "brew install "),
        ("nix", "nix profile install nixpkgs#"),
    ] {
        let all = doctor(manager, &["--json"]);
        assert_eq!(all.exit_code(), Some(0), "{manager}");
        let all = all.json()["daemons"].as_array().unwrap().clone();
        // Where there is apt, its command comes first.
        let commands = |daemon: &Value| -> Vec<String> {
            let commands = daemon["install"].as_array().into_iter().flatten();
            commands.map(|command| command.as_str().unwrap().to_owned()).collect()
        };
        let missing = all.iter().find(|daemon| !commands(daemon).is_empty());
        let missing = missing.expect("something is not installed");
        let (name, install) = (missing["daemon"].as_str().unwrap(), commands(missing).join(" or "));
        assert!(install.contains(&format!("`{command}")), "{install}");
        let one = doctor(manager, &[name]);
        assert_eq!(one.exit_code(), Some(1), "{manager}");
        let line =
            format!("  {name:<11} BROKEN: not here, and not fetched: install it with {install}, or name a binary");
        assert!(one.stdout().contains(&line), "{}", one.stdout());
    }

    // Here, apt has it.
    let doctor = Run::new(&cache, &["doctor", "redis"]);
    let line = "  redis       not here; a test fetches apt: redis-server, or you install it: `sudo apt-get install \
                redis-server`\n";
    assert_eq!(doctor.exit_code(), Some(0));
    assert!(doctor.stdout().contains(line), "{}", doctor.stdout());
    let doctor = Run::new(&cache, &["doctor", "nonsense"]);
    assert_eq!(doctor.exit_code(), Some(1));
    let error = String::from_utf8_lossy(&doctor.0.stderr).into_owned();
    assert!(
        error.contains("there is no daemon `nonsense`; there are apache, "),
        "{error}"
    );
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
        assert_eq!(daemons[0]["daemon"], daemon);
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
fn doctor_fails_on_a_broken_installation() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    std::fs::write(stored(&cache, "redis")[0].join("root/usr/extra"), "").unwrap();
    let doctor = Run::new(&cache, &["doctor"]);
    assert_eq!(doctor.exit_code(), Some(1));
    assert!(
        doctor
            .stdout()
            .contains("BROKEN: `usr/extra`: it does not belong there"),
        "{}",
        doctor.stdout()
    );
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
        "install --suite sid",
        "use `mariadb`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

//! `managed-daemons doctor`.

use std::path::Path;
use std::process::Command;

use serde_json::{json, Value};

use super::Run;
use crate::install::probe::{cache_with_redis, copy_program, public_directory, script, stored, OrdinaryUser};
use crate::support::{is_root, program, sudo};

#[test]
fn doctor_looks_at_the_machine() {
    let directory = public_directory();
    let report = Run::new(&directory.path().join("cache"), &["doctor", "redis", "--json"]).json();
    let own = nix::unistd::geteuid();
    assert_eq!(report["user"]["uid"], own.as_raw());
    assert!(report["user"]["of_daemons"].is_string(), "{}", report["user"]);
    assert_eq!(report["proc"], "/proc");
    let root = report["temp_root"].as_object().unwrap();
    assert!(
        Path::new(root["path"].as_str().unwrap()).is_dir() && root["free_bytes"].is_u64(),
        "{root:?}"
    );
    for (name, needed) in [("open_files", 1024), ("processes", 256)] {
        let limit = &report[name]["limit"];
        assert!(limit.is_null() || limit.as_u64().unwrap() >= needed, "{name}: {limit}");
        assert_eq!(report[name]["needed"], needed);
    }
    assert_eq!(report["loopback"], "127.0.0.1");
    assert!(report["ipv6"].is_boolean(), "{}", report["ipv6"]);
    let ports = ["first", "last"].map(|end| report["ports"][end].as_u64().unwrap());
    assert!(ports[0] < ports[1], "{ports:?}");
    assert_eq!(report["fetching"], "only");
    assert_eq!(report["cache"], directory.path().join("cache").to_str().unwrap());
    assert_eq!(report["problems"], json!([]));
    let documented = include_str!("../../../fixtures/docs/offline.md");
    let mut fields = [&report, &report["daemons"][0]]
        .into_iter()
        .flat_map(|of| of.as_object().unwrap().keys());
    let unknown = fields.find(|field| !documented.contains(&format!("`{field}`")));
    assert_eq!(unknown, None, "is not documented");
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
        let script = format!("{limits}; exec \"$0\" doctor memcached \"$@\"");
        let doctor = |arguments: &[&str]| {
            let mut command = Command::new("bash");
            command
                .args(["-c", &script])
                .arg(program!("command-line"))
                .args(arguments);
            Run(command.env("MANAGED_DAEMONS_CACHE", directory.path()).output().unwrap())
        };
        let shown = doctor(&[]);
        assert_eq!(shown.exit_code(), Some(1), "{limits}");
        assert!(shown.stdout().contains(problem), "{}", shown.stdout());
        let problems = doctor(&["--json"]).json()["problems"].as_array().unwrap().clone();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let (about, text) = problem.split_once("BROKEN: ").unwrap();
        assert_eq!(problems[0]["about"], about.trim().replace(' ', "_"));
        assert!(
            problems[0]["problem"].as_str().unwrap().starts_with(text),
            "{problems:?}"
        );
    }
    let script = "ulimit -n 500; exec \"$0\" doctor memcached --json";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(program!("command-line"));
    assert_eq!(
        Run(command.output().unwrap()).json()["open_files"],
        json!({ "limit": 500, "needed": 1024 })
    );
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
        ("dnf", "SUDO dnf install "),
        ("pacman", "SUDO pacman -S "),
        ("apk", "SUDO apk add "),
        ("brew", "brew install "),
        ("nix", "nix profile install nixpkgs#"),
    ] {
        let command = command.replace("SUDO ", sudo());
        let all = doctor(manager, &["--json"]);
        assert_eq!(all.exit_code(), Some(0), "{manager}");
        let all = all.json()["daemons"].as_array().unwrap().clone();
        // Where there is apt, its command comes first.
        let commands = |daemon: &Value| daemon["install"].as_array().unwrap().clone();
        let missing = all.iter().find(|daemon| !commands(daemon).is_empty());
        let missing = missing.expect("something is not installed");
        assert_eq!((&missing["missing"], &missing["found"]), (&json!(true), &Value::Null));
        let of_manager = commands(missing).pop().unwrap();
        assert_eq!(of_manager["manager"], manager);
        assert!(
            of_manager["command"].as_str().unwrap().starts_with(&command),
            "{of_manager}"
        );
        let quoted = |install: &Value| format!("`{}`", install["command"].as_str().unwrap());
        let install = commands(missing).iter().map(quoted).collect::<Vec<_>>().join(" or ");
        let name = missing["name"].as_str().unwrap();
        let one = doctor(manager, &[name]);
        assert_eq!(one.exit_code(), Some(1), "{manager}");
        let line =
            format!("  {name:<11} BROKEN: not here, and not fetched: install it with {install}, or name a binary");
        assert!(one.stdout().contains(&line), "{}", one.stdout());
    }

    // Here, apt has it.
    let doctor = Run::new(&cache, &["doctor", "redis"]);
    let line = format!(
        "  redis       not here; a test fetches apt: redis-server, or you install it: `{}apt-get install redis-server`\n",
        sudo()
    );
    assert_eq!(doctor.exit_code(), Some(0));
    assert!(doctor.stdout().contains(&line), "{}", doctor.stdout());
    let doctor = Run::new(&cache, &["doctor", "nonsense"]);
    assert_eq!(doctor.exit_code(), Some(1));
    let error = String::from_utf8_lossy(&doctor.0.stderr).into_owned();
    assert!(
        error.contains("there is no daemon `nonsense`; there are apache, "),
        "{error}"
    );
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
fn the_caches_of_root_and_of_the_user_are_checked() {
    // Root can put another one in the place of its own.
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    let home = directory.path().join("home");
    std::fs::create_dir(&home).unwrap();
    OrdinaryUser::new().give(&home);
    let program = directory.path().join("managed-daemons");
    copy_program(program!("command-line"), &program);
    let doctor = |arguments: &[&str]| {
        let script = "mount -t tmpfs tmpfs /var/cache && mkdir /var/cache/managed-daemons && mount --bind \"$1\" \
                      /var/cache/managed-daemons && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
                      \"$@\"";
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(&cache)
            .arg(&program);
        command.arg("doctor").args(arguments).env("HOME", &home);
        command
            .env_remove("XDG_CACHE_HOME")
            .env("MANAGED_DAEMONS_PROVISION", "only");
        Run(command.output().unwrap())
    };
    let whole = doctor(&["redis"]);
    assert_eq!(whole.exit_code(), Some(0), "{:?}", whole.0);
    let text = whole.stdout();
    let own = home.join(".cache/managed-daemons");
    for part in [
        format!("\n  cache       {}\n", own.display()),
        format!("\n  0 in `{}`, 0 kB\n", own.display()),
        String::from("\n  1 in `/var/cache/managed-daemons`, "),
        String::from(", whole\n"),
    ] {
        assert!(text.contains(&part), "no `{part}` in:\n{text}");
    }
    std::fs::write(stored(&cache, "redis")[0].join("root/usr/extra"), "").unwrap();
    let broken = doctor(&["redis", "--json"]);
    assert_eq!(broken.exit_code(), Some(1));
    let report = broken.json();
    assert_eq!(
        report["installations"][0]["problems"],
        json!(["`usr/extra`: it does not belong there"])
    );
    assert_eq!(report["installations"][0]["daemon"], "redis");
    assert_eq!(report["problems"][0]["about"], report["installations"][0]["name"]);
}

#[test]
fn what_is_in_a_cache_of_somebody_else_is_not_shown_as_usable() {
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    OrdinaryUser::new().give(&cache);
    let doctor = Run::new(&cache, &["doctor"]);
    assert_eq!(doctor.exit_code(), Some(1));
    let text = doctor.stdout();
    assert!(text.contains("  cache       BROKEN: `"), "{text}");
    assert!(text.contains("belongs to another user (uid 65534)"), "{text}");
    assert!(!text.contains("redis@") && !text.contains("whole"), "{text}");
    let report = Run::new(&cache, &["doctor", "--json"]).json();
    assert_eq!((&report["cache"], &report["installations"]), (&Value::Null, &json!([])));
}

/// Lets the installation of a cache be from this suite.
fn take_from_suite(installation: &Path, suite: &str) {
    let path = installation.join("manifest");
    let text = std::fs::read_to_string(&path).unwrap();
    let (json, _) = text.split_once('\n').unwrap();
    let mut manifest: Value = serde_json::from_str(json).unwrap();
    manifest["source"] = json!(format!("suite {suite}"));
    let json = manifest.to_string();
    // The end of the file is the FNV-1a hash of what is before it.
    let end = json.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    std::fs::write(path, format!("{json}\n{end:016x}\n")).unwrap();
}

#[test]
fn what_is_here_from_another_suite_needs_an_option() {
    let directory = public_directory();
    let cache = cache_with_redis(directory.path());
    take_from_suite(&stored(&cache, "redis")[0], "trixie");
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let run = |variable: &str, arguments: &[&str]| {
        let mut command = Command::new(program!("command-line"));
        command.args(arguments).env("MANAGED_DAEMONS_CACHE", &cache);
        command.env("PATH", &bin).env("MANAGED_DAEMONS_PROVISION", "never");
        Run(command.env("MANAGED_DAEMONS_REDIS_SUITE", variable).output().unwrap())
    };
    let report = run("", &["doctor", "redis", "--json"]).json();
    let redis = &report["daemons"][0];
    if !redis["found"].is_null() {
        return; // It is installed here, in a well-known place.
    }
    assert_eq!(redis["other_suites"], json!(["trixie"]));
    let advice = "it is here from suite `trixie`, for tests that ask for that with the option `suite(\"trixie\")`, \
                  `--suite trixie` or MANAGED_DAEMONS_REDIS_SUITE=trixie";
    let doctor = run("", &["doctor", "redis"]);
    assert_eq!(doctor.exit_code(), Some(1));
    let line = format!("  redis       BROKEN: not here, and not fetched: {advice}\n");
    assert!(doctor.stdout().contains(&line), "{}", doctor.stdout());
    let started = run("", &["run", "--no-file", "redis"]);
    let said = String::from_utf8_lossy(&started.0.stderr).into_owned();
    assert!(said.contains(advice), "{said}");
    // With the variable, it is found.
    let doctor = run("trixie", &["doctor", "redis", "--json"]);
    assert_eq!(doctor.exit_code(), Some(0), "{:?}", doctor.0);
    assert_eq!(doctor.json()["daemons"][0]["found"]["source"], "fetched, suite trixie");
}

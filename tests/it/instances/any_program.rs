//! Any program as a daemon of an instance, and of a project's file.

use super::Instances;
use crate::support::program;

fn orders(url: &str) -> String {
    let answer = ureq::get(format!("{url}orders")).call().unwrap();
    answer.into_body().read_to_string().unwrap()
}

#[test]
fn it_is_added_to_what_runs_and_starts_again_as_it_was() {
    let instances = Instances::new();
    instances.write_file("[postgres]\n");
    instances.run(&["start", "dev"]);
    let sql = "CREATE TABLE orders AS SELECT 7 AS id";
    instances.run(&["psql", "dev", "-qc", sql]);
    let command = format!("shop={}", program!("shop").display());
    let options = [
        "--daemon-env",
        "DATABASE_URL={postgres.url}",
        "--daemon-env",
        "PORT={port}",
        "--ready-http",
        "/health",
    ];
    let shown = instances.shown(&[&["start", "dev", "--command", &command], &options[..]].concat());
    let shop = shown.iter().find(|daemon| daemon.name == "shop").unwrap().clone();
    assert_eq!(shop.title, "shop");
    assert_eq!(orders(&shop.url), "1");

    instances.run(&["stop", "dev"]);
    let again = instances.shown(&["start", "dev"]);
    let again = again.iter().find(|daemon| daemon.name == "shop").unwrap();
    assert_eq!((&again.url, &again.dir), (&shop.url, &shop.dir));
    assert_eq!(orders(&again.url), "1");
    instances.run(&["restart", "dev", "shop"]);
    assert_eq!(orders(&again.url), "1");
    instances.run(&["remove", "dev"]);
}

#[test]
fn what_it_is_told_of_starts_before_it_each_time_and_is_told_anew() {
    let instances = Instances::new();
    // Ends if Redis is not there yet.
    let command = "a=sh -c 'test -S \"$1\" || exit 9; echo \"port $2\"; exec sleep 1000' - {redis.socket} {redis.port}";
    instances.run(&["start", "dev", "--command", command, "--ready-log", "port", "redis"]);
    let port = instances
        .status("dev")
        .iter()
        .find(|daemon| daemon.name == "redis")
        .unwrap()
        .port();
    let told = || instances.run(&["logs", "dev", "a"]).lines().last().unwrap().to_owned();
    assert_eq!(told(), format!("port {port}"));
    for start in [&["start", "dev"][..], &["start", "dev", "a"]] {
        instances.run(&["stop", "dev"]);
        instances.run(start);
        assert_eq!(told(), format!("port {port}"));
        assert!(instances.status("dev").iter().all(|daemon| daemon.pid.is_some()));
    }

    instances.run(&["stop", "dev"]);
    instances.run(&["start", "dev", "redis", "--port", "27417"]);
    instances.run(&["start", "dev", "a", "--daemon-env", "DIR={redis.dir}"]);
    assert_eq!(told(), "port 27417");
    instances.run(&["remove", "dev"]);
}

#[test]
fn the_binary_that_was_named_is_the_one_of_the_next_start() {
    let instances = Instances::new();
    let binary = std::fs::canonicalize("/bin/sh").unwrap();
    let command = "a=no-such-program -c 'echo \"$0\"; exec sleep 1000'";
    let binary = binary.to_str().unwrap();
    instances.run(&[
        "start",
        "dev",
        "--command",
        command,
        "--binary",
        binary,
        "--ready-log",
        "/",
    ]);
    instances.run(&["stop", "dev"]);
    instances.run(&["start", "dev"]);
    let logged = instances.run(&["logs", "dev"]);
    assert_eq!(logged.matches(binary).count(), 2, "{logged}");
    // Another program is not run by it.
    instances.run(&["stop", "dev"]);
    let command = "a=bash -c 'echo \"by $BASH_VERSION /\"; exec sleep 1000'";
    instances.run(&["start", "dev", "--command", command]);
    let logged = instances.run(&["logs", "dev"]);
    let last = logged.lines().last().unwrap();
    assert!(last.starts_with("by ") && last != "by  /", "{logged}");
    instances.run(&["remove", "dev"]);
}

#[test]
fn a_daemon_of_the_file_brings_what_it_is_told_of() {
    let instances = Instances::new();
    instances.write_file(
        "[redis]\n[memcached]\n[app]\ncommand = \"sh -c 'exec sleep 1000' {redis.url}\"\nready-command = \"true\"\n",
    );
    let started = instances.run(&[
        "run",
        "app",
        "--",
        "sh",
        "-c",
        "echo ${REDIS_PORT:+redis} $MEMCACHED_PORT",
    ]);
    assert_eq!(started, "redis\n");
}

#[test]
fn a_section_has_one_command() {
    let instances = Instances::new();
    for (text, problem) in [
        ("[a]\ncommand = [\"x\", \"y\"]\n", "2: `command` must be one string"),
        (
            "[a]\ndaemon = \"command\"\n",
            "1: `a` needs the program and its arguments, as `command`",
        ),
    ] {
        let path = instances.write_file(text);
        assert_eq!(
            instances.error(&["start", "dev"]),
            format!("{}:{problem}", path.display())
        );
    }
}

#[test]
fn a_section_with_a_command_is_any_program() {
    let instances = Instances::new();
    // A relative path starts at the file's directory.
    std::os::unix::fs::symlink(program!("shop"), instances.project.path().join("my shop")).unwrap();
    instances.write_file(
        "[shop]\ncommand = \"'./my shop'\"\nready-http = \"/health\"\n\n[shop.daemon-env]\nPORT = \"{port}\"\nDATABASE_URL \
         = \"{database.url}\"\n\n[database]\ndaemon = \"postgres\"\n",
    );
    let printed = instances.run(&["run", "--", "sh", "-c", "echo $SHOP_URL $DATABASE_HOST"]);
    assert!(printed.starts_with("http://127.0.0.1:"), "{printed}");
    assert!(printed.ends_with("/ 127.0.0.1\n"), "{printed}");
}

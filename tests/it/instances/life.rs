//! An instance from its first start to its removal.

use std::fs::read_to_string;

use serde_json::json;

use super::{names_in, Instances, Shown, PREFIX};
use crate::support::eventually;

#[test]
fn data_port_and_password_survive_a_stop_and_a_restart() {
    let instances = Instances::new();
    let first = instances.shown(&["start", "dev", "redis", "postgres"]);
    let names: Vec<&str> = first.iter().map(|daemon| &*daemon.name).collect();
    assert_eq!(names, ["redis", "postgres"]);
    assert_eq!(instances.redis("dev", &["SET", "a", "1"]), "OK");
    instances.sql("dev", "CREATE TABLE a AS SELECT 5 AS b");
    let same_but_pid = |shown: &[Shown]| {
        for (now, before) in shown.iter().zip(&first) {
            let pid = before.pid;
            assert_eq!(Shown { pid, ..now.clone() }, *before);
        }
        assert_eq!(shown.len(), first.len());
    };

    assert_eq!(
        instances.run(&["stop", "dev"]),
        "stopped dev/redis\nstopped dev/postgres\n"
    );
    let stopped = instances.status("dev");
    same_but_pid(&stopped);
    assert!(stopped.iter().all(|daemon| daemon.pid.is_none()), "{stopped:?}");
    assert_eq!(instances.run(&["stop", "dev"]), "dev did not run\n");
    assert_eq!(instances.json(&["stop", "dev"]), json!({ "stopped": [] }));

    let again = instances.shown(&["start", "dev"]);
    same_but_pid(&again);
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    assert_eq!(instances.sql("dev", "SELECT b FROM a"), "5");

    let restarted = instances.shown(&["restart", "dev"]);
    same_but_pid(&restarted);
    for (now, before) in restarted.iter().zip(&again) {
        assert!(now.pid.is_some() && now.pid != before.pid, "{now:?}");
    }
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    assert_eq!(instances.sql("dev", "SELECT b FROM a"), "5");
    instances.remove("dev");
    assert_eq!(names_in(instances.dir.path()), [""; 0]);
}

#[test]
fn one_daemon_can_be_stopped_and_restarted_alone() {
    let instances = Instances::new();
    let first = instances.shown(&["start", "dev", "redis", "cache=redis"]);
    assert_eq!(
        instances.json(&["stop", "dev", "cache"]),
        json!({ "stopped": ["cache"] })
    );
    let pids = |shown: &[Shown]| shown.iter().map(|daemon| daemon.pid).collect::<Vec<_>>();
    assert_eq!(pids(&instances.status("dev")), [first[0].pid, None]);
    // A restart also starts what does not run.
    let restarted = instances.shown(&["restart", "dev", "cache"]);
    assert_eq!(restarted[0], first[0]);
    assert!(restarted[1].pid.is_some(), "{restarted:?}");
    assert_eq!(
        instances.error(&["restart", "dev", "nope"]),
        "`dev` has no daemon `nope`; it has redis, cache"
    );
    instances.remove("dev");
}

#[test]
fn a_second_start_changes_nothing_and_adds_what_is_new() {
    let instances = Instances::new();
    let first = instances.shown(&["start", "dev", "redis"]);
    let lines = first[0].lines("dev");
    for arguments in [
        &["start", "dev"][..],
        &["start", "dev", "redis"],
        &["status", "dev"],
        &["status"],
    ] {
        assert_eq!(instances.run(arguments), lines, "{arguments:?}");
    }
    let both = instances.shown(&["start", "dev", "postgres"]);
    assert_eq!(both.len(), 2);
    assert_eq!(both[0], first[0]);
    assert_eq!(both[1].name, "postgres");
    // What runs keeps its options.
    let (printed, noted) = instances.noted(&["start", "dev", "redis", "--set", "maxmemory=8mb"]);
    assert_eq!(printed, both[0].lines("dev") + &both[1].lines("dev"));
    let runs = "`redis` runs already, and keeps its options; to change them, stop it first: `managed-daemons stop dev \
                redis`";
    assert_eq!(noted, format!("{PREFIX}{runs}\n"));
    assert_eq!(instances.redis("dev", &["CONFIG", "GET", "maxmemory"]), "maxmemory\n0");
    // What is stopped takes new ones, and keeps the others.
    instances.run(&["stop", "dev", "redis"]);
    let changed = instances.shown(&["start", "dev", "redis", "--set", "maxmemory=8mb"]);
    assert_eq!(changed[0].url, first[0].url);
    assert_eq!(
        instances.redis("dev", &["CONFIG", "GET", "maxmemory"]),
        "maxmemory\n8388608"
    );
    assert_eq!(
        instances.error(&["start", "dev", "redis=postgres"]),
        "`redis` of `dev` is a redis daemon already"
    );
    instances.remove("dev");
}

#[test]
fn an_instance_knows_its_daemons_by_their_names() {
    let instances = Instances::new();
    instances.run(&["start", "dev", "cache=redis"]);
    instances.run(&["stop", "dev"]);
    let started = instances.shown(&["start", "dev", "cache", "--set", "maxmemory=8mb"]);
    assert_eq!(started.len(), 1);
    let said = instances.run(&["cli", "dev", "cache", "--", "CONFIG", "GET", "maxmemory"]);
    assert_eq!(said, "maxmemory\n8388608\n");
    let removed = instances.json(&["remove", "dev"]);
    assert_eq!(removed, json!({ "removed": instances.dir("dev").to_str().unwrap() }));
}

#[test]
fn variables_stay_and_can_be_added_later() {
    let instances = Instances::new();
    instances.run(&["start", "dev", "redis", "--env", "A=port {redis.port}", "--env", "B=1"]);
    let file = instances.project.path().join(".env");
    let env = ["--env", "B=2", "--env", "C=3", "--env-file", file.to_str().unwrap()];
    instances.run(&[&["start", "dev"], &env[..]].concat());
    instances.run(&["start", "dev", "cache=redis"]);
    instances.run(&["restart", "dev"]);
    let port = instances.status("dev")[0].port();
    let env = instances.json(&["env", "dev"]);
    assert_eq!(env["A"], format!("port {port}"));
    assert_eq!([&env["B"], &env["C"]], ["2", "3"]);
    let written = read_to_string(file).unwrap();
    assert!(written.ends_with(&format!("A='port {port}'\nB=2\nC=3\n")), "{written}");
    instances.remove("dev");
}

#[test]
fn clients_answer() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis", "postgres"]);
    // Without a name, the first daemon's.
    assert_eq!(instances.run(&["cli", "dev", "--", "PING"]), "PONG\n");
    assert_eq!(
        instances.run(&["cli", "dev", "postgres", "--", "-AtXc", "SELECT 1"]),
        "1\n"
    );
    // Arguments reach the client as they are.
    let odd = "a  'b' \"c\" $HOME `d` \\ *";
    assert_eq!(instances.redis("dev", &["ECHO", odd]), odd);
    assert_eq!(instances.sql("dev", "SELECT 'x  y', '$HOME \"`\\'"), "x  y|$HOME \"`\\");
    // The client's status is the program's.
    let failed = instances.output(&["psql", "dev", "--", "-Xc", "nonsense"]);
    assert_eq!(failed.status.code(), Some(1));
    let text = String::from_utf8(failed.stderr).unwrap();
    assert!(text.starts_with("ERROR:  syntax error"), "{text}");
    assert_eq!(
        instances.error(&["cli", "dev", "nope"]),
        "`dev` has no daemon `nope`; it has redis, postgres"
    );
    assert_eq!(shown, instances.status("dev"));
    instances.remove("dev");
    instances.run(&["start", "other", "redis"]);
    assert_eq!(
        instances.error(&["psql", "other"]),
        "no daemon of `other` has such a client"
    );
    instances.remove("other");
}

#[test]
fn logs_are_shown_and_followed() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis", "other=redis"]);
    let log = shown[0].dir.join("service.log");
    let text = read_to_string(&log).unwrap();
    assert_eq!(instances.run(&["logs", "dev", "redis"]), text);
    let last = text.lines().last().unwrap();
    assert_eq!(instances.run(&["logs", "-n", "1", "dev", "redis"]), format!("{last}\n"));
    let all = instances.run(&["logs", "dev", "-n", "1"]);
    let titles: Vec<&str> = all.lines().filter(|line| line.starts_with("==> ")).collect();
    let title = |shown: &Shown| format!("==> {} <==", shown.dir.join("service.log").display());
    assert_eq!(titles, [title(&shown[0]), title(&shown[1])]);

    // Followed, also over a restart.
    let followed = instances.project.path().join("followed");
    let output = std::fs::File::create(&followed).unwrap();
    let errors = output.try_clone().unwrap();
    let mut command = instances.command(&["logs", "-f", "-n", "0", "dev", "redis"]);
    let mut child = command.stdout(output).stderr(errors).spawn().unwrap();
    eventually("followed", || {
        instances.redis("dev", &["CONFIG", "SET", "loglevel", "verbose"]);
        let text = read_to_string(&followed).unwrap();
        text.contains("Accepted").then_some(()).ok_or(text)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    instances.remove("dev");
}

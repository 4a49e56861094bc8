//! Names that can't be one, and instances that do not exist.

use std::process::Command;

use super::{names_in, Instances};
use crate::support::program;

const COMMANDS: &[&str] = &[
    "start", "stop", "restart", "status", "logs", "env", "cli", "psql", "remove",
];

#[test]
fn what_can_not_be_a_name_is_refused_everywhere() {
    let instances = Instances::new();
    for name in [
        "", "../x", "/x", ".", "..", "-x", "1x", "ü", "a b", "a\nb", "a.b", "x=redis",
    ] {
        for command in COMMANDS {
            let error = match *command {
                // Behind `--` are the client's arguments.
                "cli" | "psql" if name.starts_with('-') => continue,
                "cli" | "psql" => instances.error(&[command, name]),
                _ => instances.error(&[command, "--", name]),
            };
            let expected = "can't be a name: names begin with a letter, and have letters, digits, `-` and `_`";
            assert_eq!(error, format!("{name:?} {expected}"), "{command}");
        }
    }
    // As an option, it is none.
    let output = instances.output(&["stop", "-x"]);
    assert_eq!(output.status.code(), Some(2));
    // So is that of a daemon.
    let error = instances.error(&["start", "dev", "../x=redis"]);
    assert!(error.starts_with("\"../x\" can't be a name: "), "{error}");
    assert_eq!(names_in(instances.dir.path()), [""; 0]);
}

#[test]
fn of_what_does_not_exist_the_error_lists_what_does() {
    let instances = Instances::new();
    let others = COMMANDS.iter().filter(|command| **command != "start");
    for command in others.clone() {
        assert_eq!(
            instances.error(&[command, "nope"]),
            "there is no instance `nope`: `managed-daemons start nope DAEMON` makes it",
            "{command}"
        );
    }
    let none = "there is no instance: `managed-daemons start NAME DAEMON` makes one\n";
    assert_eq!(instances.run(&["status"]), none);
    assert_eq!(instances.json(&["status"]), serde_json::json!([]));
    for name in ["dev", "build"] {
        std::fs::create_dir(instances.dir(name)).unwrap();
    }
    // Files are no instances.
    for file in ["notes", "a b"] {
        std::fs::write(instances.dir(file), "").unwrap();
    }
    for name in ["nope", "notes"] {
        let expected = format!("there is no instance `{name}`; there are build, dev");
        for command in others.clone() {
            assert_eq!(instances.error(&[command, name]), expected, "{command}");
        }
    }
    let output = instances.output(&["status", "nope", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["error"], "there is no instance `nope`; there are build, dev");
}

#[test]
fn of_an_instance_that_does_not_exist_a_shell_evaluates_nothing() {
    let instances = Instances::new();
    let script = "before=$(export -p); eval \"$(\"$0\" env nope)\"; [ \"$before\" = \"$(export -p)\" ] && echo same";
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .arg(program!("command-line"))
        .env("MANAGED_DAEMONS_INSTANCES", instances.dir.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "same\n");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("managed-daemons: there is no instance `nope`"),
        "{error}"
    );
}

#[test]
fn a_start_without_daemons_says_what_to_write() {
    let instances = Instances::new();
    let error = instances.error(&["start", "dev"]);
    let named =
        "name a daemon, as in `managed-daemons start dev DAEMON`, or write a `managed-daemons.toml`; there are \
                 apache, ";
    assert!(error.starts_with(named), "{error}");
    let error = instances.error(&["start", "dev", "rediss"]);
    assert!(
        error.starts_with("there is no daemon `rediss`; there are apache, "),
        "{error}"
    );
    assert_eq!(
        instances.error(&["start", "dev", "redis", "--working-dir", "x"]),
        "`--working-dir` is not for instances, which have directories of their own"
    );
    assert_eq!(
        instances.error(&["start", "dev", "redis", "redis"]),
        "two daemons are named `redis`: give one of them another name, as in `my-redis=redis`"
    );
    assert_eq!(names_in(instances.dir.path()), [""; 0]);
}

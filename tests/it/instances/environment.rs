//! Values reach a shell as they are.

use std::collections::BTreeMap;
use std::process::Command;

use super::Instances;
use crate::support::program;

const HOSTILE: &[&str] = &[
    "",
    " ",
    "a b",
    "it's",
    "\"double\"",
    "it's \"both\" `and` $HOME $(id) \\ \\\\ !x !!",
    "'",
    "''\"",
    "\\",
    "\\'",
    "\\n'\\\"",
    "line\nline's\nend\n",
    "\n",
    "tab\tcr\r",
    "tab\t'cr\r",
    "#comment",
    "a=b=c",
    "*?[a]~{a,b}",
    "~/x",
    "-n",
    "a;b&c|d<e>f",
    "ü 中 🙂",
    "'ü'",
    "\u{1}\u{7f}",
    "{\"json\": [1]}",
    "%s%n",
];

/// What a shell has after this command, by variable.
fn in_shell(instances: &Instances, command: &str) -> BTreeMap<String, String> {
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{command}; exec env -0")])
        .arg(program!("command-line"))
        .current_dir(instances.project.path())
        .env("MANAGED_DAEMONS_INSTANCES", instances.dir.path())
        .env("PGHOSTADDR", "192.0.2.1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
    let text = String::from_utf8(output.stdout).unwrap();
    let pairs = text.split_terminator('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn hostile_values_reach_a_shell_through_env_and_through_a_file() {
    let instances = Instances::new();
    let file = instances.project.path().join("a file.env");
    let typed: Vec<String> = (0..HOSTILE.len())
        .map(|at| format!("V{at}={}", HOSTILE[at].replace('{', "{{")))
        .collect();
    let mut arguments = vec!["start", "dev", "redis", "--env-file", file.to_str().unwrap()];
    for typed in &typed {
        arguments.extend(["--env", typed]);
    }
    instances.run(&arguments);
    for command in ["eval \"$(\"$0\" env dev)\"", "set -a; . './a file.env'; set +a"] {
        let known = in_shell(&instances, command);
        for (at, expected) in HOSTILE.iter().enumerate() {
            assert_eq!(
                known.get(&format!("V{at}")).map(String::as_str),
                Some(*expected),
                "{command}"
            );
        }
    }
    let json = instances.json(&["env", "dev"]);
    for (at, expected) in HOSTILE.iter().enumerate() {
        assert_eq!(json[format!("V{at}")], **expected);
    }
    instances.remove("dev");
}

#[test]
fn hostile_passwords_reach_clients() {
    let instances = Instances::new();
    let password = "it's \"both\" `and` $HOME $(id) \\ # ü";
    let shown = instances.shown(&[
        "start",
        "dev",
        "postgres",
        "--password",
        password,
        "redis",
        "--password",
        password,
    ]);
    let known = in_shell(&instances, "eval \"$(\"$0\" env dev)\"");
    for name in ["PGPASSWORD", "REDISCLI_AUTH", "POSTGRES_PASSWORD", "REDIS_PASSWORD"] {
        assert_eq!(known[name], password, "{name}");
    }
    for (name, daemon) in [
        ("DATABASE_URL", &shown[0]),
        ("POSTGRES_URL", &shown[0]),
        ("REDIS_URL", &shown[1]),
    ] {
        assert_eq!(known[name], daemon.url, "{name}");
    }
    assert_eq!(known["PGPORT"], shown[0].port().to_string());
    // What would lead a client elsewhere is unset.
    assert_eq!(known.get("PGHOSTADDR"), None);
    assert_eq!(instances.sql("dev", "SELECT 1"), "1");
    assert_eq!(instances.redis("dev", &["PING"]), "PONG");
    instances.remove("dev");
}

#[test]
fn of_daemons_with_the_same_variable_the_first_has_it() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis", "my-cache=redis"]);
    let known = in_shell(&instances, "eval \"$(\"$0\" env dev)\"");
    assert_eq!(known["REDIS_URL"], shown[0].url);
    assert_eq!(known["MY_CACHE_URL"], shown[1].url);
    assert_eq!(known["MY_CACHE_PORT"], shown[1].port().to_string());
    let refused = [
        ("A", "`--env A` is not of the form NAME=TEXT"),
        (
            "=x",
            "`--env =…`: \"\" can't be a variable: their names have letters, digits and `_`, and don't begin \
             with a digit",
        ),
        (
            "1A=x",
            "`--env 1A=…`: \"1A\" can't be a variable: their names have letters, digits and `_`, and don't begin \
             with a digit",
        ),
        (
            "A;id=x",
            "`--env A;id=…`: \"A;id\" can't be a variable: their names have letters, digits and `_`, and don't begin \
             with a digit",
        ),
    ];
    for (typed, expected) in refused {
        assert_eq!(instances.error(&["start", "dev", "--env", typed]), expected);
    }
    instances.remove("dev");
}

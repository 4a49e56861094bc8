//! What can't be used of `managed-daemons.toml` is an error with its file and line.

use super::Instances;

const DAEMONS: &str =
    "apache, mariadb, memcached, mysql, nginx, postgres, rabbitmq, redis, valkey, and `--command` for any other program";
const OPTIONS: &str =
    "binary, config, daemon-env, init, password, plugin, port, set, start-timeout, suite, version, without-password, \
     working-dir";
const SCALAR: &str = "must be a string, a number, or a list of them";
const PAIRS: &str = "must be a table, or strings such as `KEY=VALUE`";
const OUTSIDE: &str = "is outside of a section: write the name of a daemon in brackets before its options";
const VARIABLE: &str = "can't be a variable: their names have letters, digits and `_`, and don't begin with a digit";

/// Asserts that each text is refused in this line, with this problem.
#[track_caller]
fn assert_refused(texts: &[(&str, usize, String)]) {
    let instances = Instances::new();
    for (text, line, problem) in texts {
        let path = instances.write_file(text);
        for arguments in [&["start", "dev"][..], &["start", "dev", "memcached"]] {
            let error = instances.error(arguments);
            assert_eq!(error, format!("{}:{line}: {problem}", path.display()), "{text}");
        }
        // It does not matter if it is not read.
        let error = instances.error(&["start", "dev", "--no-file"]);
        assert!(error.starts_with("name a daemon, as in "), "{error}");
    }
    assert_eq!(super::names_in(instances.dir.path()), [""; 0]);
}

#[test]
fn broken_toml_is_refused() {
    assert_refused(&[
        ("[redis", 1, String::from("unclosed table, expected `]`")),
        ("[redis]\n[redis]\n", 2, String::from("duplicate key")),
        ("[redis]\nport = 1\n\nport = 2\n", 4, String::from("duplicate key")),
        (
            "# a comment\r\n\r\n[redis]\r\n[redis]\r\n",
            4,
            String::from("duplicate key"),
        ),
    ]);
}

#[test]
fn unknown_sections_and_keys_are_refused() {
    let no_daemon = |name: &str| format!("there is no daemon `{name}`; there are {DAEMONS}");
    let with_way_out = format!(
        "{}; a section of another name says in `daemon` which one it is",
        no_daemon("cache")
    );
    let no_option = |name: &str| format!("redis has no option `{name}`; it has {OPTIONS}");
    let no_name = "can't be a name: names begin with a letter, and have letters, digits, `-` and `_`";
    assert_refused(&[
        ("\n\n[cache]\nset = {}\n", 3, with_way_out.clone()),
        ("[redis]\n[cache.set]\na = 1\n", 2, with_way_out),
        ("[cache]\nport = 1\ndaemon = \"rediss\"\n", 3, no_daemon("rediss")),
        ("[cache]\ndaemon = 3\n", 2, String::from("`daemon` must be a string")),
        ("[redis]\nport = 1\nnonsense = 1\n", 3, no_option("nonsense")),
        ("[redis]\nenv = { A = \"x\" }\n", 2, no_option("env")),
        ("[cache]\ndaemon = \"redis\"\ntls = true\n", 3, no_option("tls")),
        ("\nredis.nope = 1\n", 2, no_option("nope")),
        ("[redis]\n\nset.maxmemory = 1\nnope.x = 1\n", 4, no_option("nope")),
        ("redis = { port = 1, nope = 1 }\n", 1, no_option("nope")),
        ("[redis]\nport = 1\n[redis.nope]\nx = 1\n", 3, no_option("nope")),
        ("[\"a b\"]\ndaemon = \"redis\"\n", 1, format!("\"a b\" {no_name}")),
        ("x = 1\n[redis]\n", 1, format!("`x` {OUTSIDE}")),
        ("\n\nredis = \"7\"\n", 3, format!("`redis` {OUTSIDE}")),
        ("env = 1\n", 1, format!("`env` {OUTSIDE}")),
        ("[[redis]]\n", 1, String::from("`[[redis]]`: write `[redis]`")),
    ]);
}

#[test]
fn values_of_wrong_types_are_refused() {
    assert_refused(&[
        ("[redis]\nversion = true\n", 2, format!("`version` {SCALAR}")),
        ("[redis]\nversion = { a = 1 }\n", 2, format!("`version` {SCALAR}")),
        ("[redis]\nport = 1979-05-27\n", 2, format!("`port` {SCALAR}")),
        (
            "[redis]\nplugin = [\n  \"a\",\n  true,\n]\n",
            4,
            format!("`plugin` {SCALAR}"),
        ),
        (
            "[redis]\nplugin = [\"a\", [\n  \"b\"\n]]\n",
            2,
            format!("`plugin` {SCALAR}"),
        ),
        ("[redis]\n[redis.version]\na = 1\n", 2, format!("`version` {SCALAR}")),
        ("[redis]\nset = true\n", 2, format!("`set` {PAIRS}")),
        ("[redis]\nset = { a = 1, b = [1] }\n", 2, format!("`set` {PAIRS}")),
        ("[redis]\nset.a = 1\nset.b = 1979-05-27\n", 3, format!("`set` {PAIRS}")),
        ("[redis.set]\na = 1\n\nb = []\n", 4, format!("`set` {PAIRS}")),
        (
            "[redis]\nset = [\n  \"a=1\",\n  2020-01-01\n]\n",
            4,
            format!("`set` {PAIRS}"),
        ),
        (
            "[redis]\ndaemon-env = { A = { b = 1 } }\n",
            2,
            format!("`daemon-env` {PAIRS}"),
        ),
        (
            "[redis]\nwithout-password = \"yes\"\n",
            2,
            String::from("`without-password` must be true or false"),
        ),
        ("[env]\nA = \"x\"\nB = 1\n", 3, String::from("`B` must be a string")),
        ("[env]\n\"1A\" = \"x\"\n", 2, format!("`1A`: \"1A\" {VARIABLE}")),
        ("env.A-B = \"x\"\n", 1, format!("`A-B`: \"A-B\" {VARIABLE}")),
        (
            "[env]\nA = \"\\u0000\"\n",
            2,
            String::from("`A`: the text contains NUL"),
        ),
    ]);
}

#[test]
fn a_file_that_can_not_be_read_is_named() {
    let instances = Instances::new();
    assert_eq!(
        instances.error(&["start", "dev", "--file", "nope.toml"]),
        "`nope.toml` can't be read: No such file or directory (os error 2)"
    );
    let path = instances.write_file("");
    std::fs::write(&path, b"[redis]\n# \xff\n").unwrap();
    let named = format!("`{}` can't be read: ", path.display());
    let error = instances.error(&["start", "dev"]);
    assert!(error.starts_with(&named), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let error = instances.error(&["start", "dev"]);
    assert!(error.starts_with(&named), "{error}");
    // One that has no daemons is as good as none.
    std::fs::remove_dir(&path).unwrap();
    instances.write_file("[env]\nA = \"x\"\n");
    let error = instances.error(&["start", "dev"]);
    assert!(error.starts_with("name a daemon, as in "), "{error}");
}

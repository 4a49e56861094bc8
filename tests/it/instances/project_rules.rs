//! What `managed-daemons.toml` does.

use std::fs::{create_dir, create_dir_all, remove_dir, write};
use std::path::Path;

use serde_json::Value;

use super::{names_in, Instances, Shown};

/// Starts an instance in a directory of the project.
#[track_caller]
fn start_in(instances: &Instances, dir: &Path, arguments: &[&str]) -> Vec<Shown> {
    let arguments = [&["start", "dev", "--json"], arguments].concat();
    let output = instances.command(&arguments).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    shown.as_array().unwrap().iter().map(Shown::of).collect()
}

#[track_caller]
fn start(instances: &Instances, arguments: &[&str]) -> Vec<Shown> {
    start_in(instances, instances.project.path(), arguments)
}

fn names(shown: &[Shown]) -> Vec<&str> {
    shown.iter().map(|daemon| &*daemon.name).collect()
}

/// A setting of a Redis of the instance.
#[track_caller]
fn setting(instances: &Instances, daemon: &str, name: &str) -> String {
    let said = instances.run(&["cli", "dev", daemon, "--", "CONFIG", "GET", name]);
    said.lines().nth(1).unwrap().to_owned()
}

#[test]
fn all_sections_are_started_with_their_options_and_variables() {
    let instances = Instances::new();
    instances.write_file(
        r#"
[env]
CACHE = "at {cache.port}, {postgres.database}, {{as is}"

[postgres]
version = ">=9"
database = "shop"
user = "app"
init = "migrations"
set = { "work_mem" = "5MB", fsync = false, max_connections = 23 }

[cache]
daemon = "redis"
set = ["maxmemory=8mb", "databases=4"]
without-password = true

[queue]
daemon = "redis"
without-password = false
password = "s3cret"
daemon-env = { TZ = "Asia/Tokyo" }
"#,
    );
    let migrations = instances.project.path().join("migrations");
    create_dir(&migrations).unwrap();
    write(migrations.join("1_orders.sql"), "CREATE TABLE orders AS SELECT 7 AS id").unwrap();
    write(migrations.join("2_more.sql"), "INSERT INTO orders VALUES (8)").unwrap();
    let shown = start(&instances, &[]);
    assert_eq!(names(&shown), ["postgres", "cache", "queue"]);
    assert_eq!(instances.sql("dev", "SELECT sum(id) FROM orders"), "15");
    let settings = "SELECT current_setting('work_mem'), current_setting('fsync'), current_setting('max_connections')";
    assert_eq!(instances.sql("dev", settings), "5MB|off|23");
    assert_eq!(
        instances.sql("dev", "SELECT current_user, current_database()"),
        "app|shop"
    );
    assert_eq!(setting(&instances, "cache", "maxmemory"), "8388608");
    assert_eq!(setting(&instances, "cache", "databases"), "4");
    assert_eq!(shown[1].url, format!("redis://127.0.0.1:{}/", shown[1].port()));
    assert_eq!(shown[2].url, format!("redis://:s3cret@127.0.0.1:{}/", shown[2].port()));
    let env = instances.json(&["env", "dev"]);
    assert_eq!(env["CACHE"], format!("at {}, shop, {{as is}}", shown[1].port()));
    instances.remove("dev");
}

#[test]
fn of_named_daemons_the_options_are_those_of_their_sections_and_then_of_the_command_line() {
    let instances = Instances::new();
    instances.write_file(
        "[redis]\npassword = \"file\"\nset = { maxmemory = \"8mb\", databases = 4 }\n\
         [cache]\ndaemon = \"redis\"\nset.maxmemory = \"1mb\"\n[postgres]\n[env]\nA = \"file\"\nB = \"file\"\n",
    );
    let shown = start(
        &instances,
        &[
            "--env",
            "A=typed",
            "redis",
            "--password",
            "typed",
            "--set",
            "databases=5",
            "mine=cache",
            "other=redis",
        ],
    );
    assert_eq!(names(&shown), ["redis", "mine", "other"]);
    assert_eq!(shown[0].url, format!("redis://:typed@127.0.0.1:{}/", shown[0].port()));
    assert_eq!(setting(&instances, "redis", "maxmemory"), "8388608");
    assert_eq!(setting(&instances, "redis", "databases"), "5");
    assert_eq!(setting(&instances, "mine", "maxmemory"), "1048576");
    assert_eq!(shown[2].url, format!("redis://:file@127.0.0.1:{}/", shown[2].port()));
    let env = instances.json(&["env", "dev"]);
    assert_eq!([&env["A"], &env["B"]], ["typed", "file"]);
    instances.remove("dev");

    // One that lets everybody in can have a password, and the other way round.
    instances.write_file("[redis]\nwithout-password = true\n");
    let shown = start(&instances, &["redis", "--password", "typed"]);
    assert_eq!(shown[0].url, format!("redis://:typed@127.0.0.1:{}/", shown[0].port()));
    instances.remove("dev");
    instances.write_file("[redis]\npassword = \"file\"\n");
    let shown = start(&instances, &["redis", "--without-password"]);
    assert_eq!(shown[0].url, format!("redis://127.0.0.1:{}/", shown[0].port()));
    instances.remove("dev");

    // Before the first daemon, an option is for all, and wins over those of the file.
    instances.write_file("[redis]\npassword = \"file\"\n[cache]\ndaemon = \"redis\"\n");
    let shown = start(&instances, &["--password", "typed"]);
    assert_eq!(names(&shown), ["redis", "cache"]);
    assert!(
        shown.iter().all(|daemon| daemon.url.starts_with("redis://:typed@")),
        "{shown:?}"
    );
    instances.remove("dev");
}

#[test]
fn the_file_is_that_of_this_directory_or_of_the_nearest_one_above() {
    let instances = Instances::new();
    let project = instances.project.path();
    let deep = project.join("a/b/c");
    create_dir_all(&deep).unwrap();
    // Its relative paths start at its directory, wherever it is read.
    write(project.join("far.sql"), "CREATE TABLE far AS SELECT 1 AS id").unwrap();
    instances.write_file("[far]\ndaemon = \"postgres\"\ninit = \"far.sql\"\n");
    assert_eq!(names(&start_in(&instances, &deep, &[])), ["far"]);
    assert_eq!(instances.sql("dev", "SELECT id FROM far"), "1");
    instances.remove("dev");

    write(project.join("a/redis.conf"), "maxmemory 8mb\n").unwrap();
    write(
        project.join("a/managed-daemons.toml"),
        "[near]\ndaemon = \"redis\"\nconfig = \"redis.conf\"\n",
    )
    .unwrap();
    assert_eq!(names(&start_in(&instances, &deep, &[])), ["near"]);
    assert_eq!(setting(&instances, "near", "maxmemory"), "8388608");
    instances.remove("dev");
    assert_eq!(names(&start_in(&instances, &project.join("a"), &["near"])), ["near"]);
    instances.remove("dev");

    // Another one, by its path. What is in the nearest one does not matter then.
    write(project.join("a/managed-daemons.toml"), "nonsense").unwrap();
    write(
        project.join("other.toml"),
        "[other]\ndaemon = \"redis\"\nconfig = \"a/redis.conf\"\nversion = [\">=1\"]\n",
    )
    .unwrap();
    assert_eq!(
        names(&start_in(&instances, &deep, &["--file", "../../../other.toml"])),
        ["other"]
    );
    assert_eq!(setting(&instances, "other", "maxmemory"), "8388608");
    instances.remove("dev");
    let error = instances
        .command(&["start", "dev", "redis"])
        .current_dir(&deep)
        .output()
        .unwrap();
    let error = String::from_utf8(error.stderr).unwrap();
    let named = format!(
        "managed-daemons: {}:1: ",
        project.join("a/managed-daemons.toml").display()
    );
    assert!(error.starts_with(&named), "{error}");
    // None at all.
    assert_eq!(names(&start_in(&instances, &deep, &["--no-file", "redis"])), ["redis"]);
    instances.remove("dev");
    let error = instances.error(&["start", "dev", "--no-file", "far"]);
    assert!(
        error.starts_with("there is no daemon `far`; there are apache, "),
        "{error}"
    );
    remove_dir(&deep).unwrap();
    assert_eq!(names_in(instances.dir.path()), [""; 0]);
}

#[test]
fn a_version_is_as_it_is_written() {
    let instances = Instances::new();
    for (version, named) in [("99.10", "99.10"), ("\"99.10\"", "99.10"), ("9_9", "99")] {
        instances.write_file(&format!("[redis]\nversion = {version}\n"));
        let mut command = instances.command(&["start", "dev"]);
        let output = command.env("MANAGED_DAEMONS_PROVISION", "never").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let expected = format!("redis did not start: no usable binary of `redis-server`, version {named}\n");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn an_instance_that_exists_is_started_as_it_was_unless_a_file_is_named() {
    let instances = Instances::new();
    let path = instances.write_file("[redis]\nset.maxmemory = \"8mb\"\n");
    start(&instances, &[]);
    // The file says something else by now, and may even be damaged.
    instances.write_file("nonsense");
    assert_eq!(names(&start(&instances, &[])), ["redis"]);
    instances.write_file("[redis]\n[cache]\ndaemon = \"redis\"\n");
    assert_eq!(names(&start(&instances, &[])), ["redis"]);
    assert_eq!(
        names(&start(&instances, &["--file", path.to_str().unwrap()])),
        ["redis", "cache"]
    );
    assert_eq!(setting(&instances, "redis", "maxmemory"), "8388608");
    instances.remove("dev");
}

#[test]
fn a_daemon_brings_those_whose_placeholders_its_options_have() {
    let instances = Instances::new();
    let file = "[redis]\n[memcached]\n[queue]\ndaemon = \"redis\"\npassword = \"at {redis.port}, not {port}\"\n";
    instances.write_file(file);
    let shown = start(&instances, &["queue"]);
    assert_eq!(names(&shown), ["queue", "redis"]);
    let password = format!("at {}, not {{port}}", shown[1].port());
    let env = instances.json(&["env", "dev"]);
    assert_eq!(env["QUEUE_PASSWORD"], *password);
    // The next start is as before.
    instances.run(&["stop", "dev"]);
    assert_eq!(names(&start(&instances, &["queue"])), ["queue", "redis"]);
    assert_eq!(instances.json(&["env", "dev"]), env);
    instances.remove("dev");
}

#[test]
fn an_option_that_the_daemon_refuses_is_named_with_its_line() {
    let instances = Instances::new();
    for (file, line, problem) in [
        (
            "[redis]\n\nset = { port = 1 }\n",
            3,
            "option `set` (FILE): `port` is set by the framework: use `--port`",
        ),
        (
            "[postgres]\nuser = \"\"\nport = 5432\n",
            2,
            "option `user` (FILE): \"\" is empty",
        ),
    ] {
        let path = instances.write_file(file);
        let expected = problem.replace("FILE", &format!("{}:{line}", path.display()));
        let error = instances.error(&["start", "dev"]);
        assert!(error.ends_with(&expected), "{error}");
    }
}

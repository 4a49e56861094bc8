//! Where instances are.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::User;
use serde_json::Value;

use super::Instances;
use crate::support::is_root;

/// Runs the program as an ordinary user who has this home.
fn as_user(instances: &Instances, home: &Path, arguments: &[&str]) -> Command {
    let mut command = instances.command(arguments);
    command
        .env_remove("MANAGED_DAEMONS_INSTANCES")
        .env_remove("XDG_DATA_HOME")
        .env("HOME", home);
    if is_root() {
        let nobody = User::from_name("nobody").unwrap().unwrap();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        for dir in [home, instances.root.path()] {
            std::os::unix::fs::chown(dir, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
        }
    }
    command
}

/// Starts a Redis, returns its directory, and removes it.
#[track_caller]
fn dir_of(mut start: Command, mut remove: Command) -> PathBuf {
    let output = start.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let removed = remove.output().unwrap();
    assert!(removed.status.success(), "{removed:?}");
    PathBuf::from(shown[0]["dir"].as_str().unwrap())
}

#[test]
fn an_ordinary_users_are_among_the_users_data() {
    let instances = Instances::new();
    let home = instances.project.path().join("home");
    let data = instances.project.path().join("data");
    for dir in [&home, &data] {
        std::fs::create_dir(dir).unwrap();
    }
    let dir = |change: &dyn Fn(&mut Command)| {
        let command = |arguments: &[&str]| {
            let mut command = as_user(&instances, &home, arguments);
            change(&mut command);
            command
        };
        dir_of(
            command(&["start", "dev", "redis", "--json"]),
            command(&["remove", "dev"]),
        )
    };
    let in_home = home.join(".local/share/managed-daemons/dev/redis");
    assert_eq!(dir(&|_| ()), in_home);
    // One that is relative is to be ignored, and an empty one counts as none.
    for other in ["data", ""] {
        assert_eq!(dir(&|command| _ = command.env("XDG_DATA_HOME", other)), in_home);
    }
    if is_root() {
        let nobody = User::from_name("nobody").unwrap().unwrap();
        std::os::unix::fs::chown(&data, Some(nobody.uid.as_raw()), None).unwrap();
    }
    let in_data = data.join("managed-daemons/dev/redis");
    assert_eq!(dir(&|command| _ = command.env("XDG_DATA_HOME", &data)), in_data);
    let in_own = data.join("own/dev/redis");
    let own = data.join("own");
    assert_eq!(
        dir(&|command| _ = command.env("MANAGED_DAEMONS_INSTANCES", &own)),
        in_own
    );
}

#[test]
fn a_directory_with_a_long_or_an_odd_path_will_do() {
    let instances = Instances::new();
    for name in ["a dir with 'quotes' and $HOME", &"long".repeat(40)] {
        let dir = instances.dir.path().join("below").join(name);
        let run = |arguments: &[&str]| {
            let mut command = instances.command(arguments);
            let output = command.env("MANAGED_DAEMONS_INSTANCES", &dir).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["start", "dev", "redis", "postgres"]);
        assert_eq!(run(&["cli", "dev", "--", "PING"]), "PONG\n");
        assert_eq!(run(&["psql", "dev", "--", "-XAtc", "SELECT 1"]), "1\n");
        run(&["restart", "dev"]);
        assert_eq!(run(&["psql", "dev", "--", "-XAtc", "SELECT 1"]), "1\n");
        assert_eq!(
            run(&["remove", "dev"]),
            format!("removed {}\n", dir.join("dev").display())
        );
    }
    std::fs::remove_dir_all(instances.dir.path().join("below")).unwrap();
}

#[test]
fn a_relative_directory_is_one_of_the_current_one() {
    let instances = Instances::new();
    let run = |arguments: &[&str]| {
        let mut command = instances.command(arguments);
        let output = command.env("MANAGED_DAEMONS_INSTANCES", "mine").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["start", "dev", "redis"]);
    let dir = instances.project.path().join("mine/dev");
    assert!(dir.join("redis/service.json").exists());
    assert_eq!(run(&["remove", "dev"]), format!("removed {}\n", dir.display()));
}

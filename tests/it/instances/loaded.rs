//! A daemon of an instance that a test takes over.

use managed_daemons::{PostgresDaemon, RedisDaemon};

use super::Instances;
use crate::support::{get, set};

#[test]
fn a_test_takes_a_daemon_over_and_leaves_it_running() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis", "postgres"]);
    let redis = RedisDaemon::load(&shown[0].dir).unwrap();
    assert_eq!(redis.url(), shown[0].url);
    set(&redis, "a", "1").unwrap();
    // The program still shows it.
    assert_eq!(instances.status("dev"), shown);
    assert_eq!(
        instances.run(&["start", "dev"]),
        shown[0].lines("dev") + &shown[1].lines("dev")
    );
    redis.detach().unwrap();
    assert_eq!(instances.status("dev"), shown);
    assert_eq!(instances.redis("dev", &["GET", "a"]), "1");
    // Without `detach`, it ends with the handle, and its data stay.
    let postgres = PostgresDaemon::load(&shown[1].dir).unwrap();
    assert_eq!(postgres.url(), shown[1].url);
    postgres.close().unwrap();
    let pids: Vec<_> = instances.status("dev").iter().map(|daemon| daemon.pid).collect();
    assert_eq!(pids, [shown[0].pid, None]);
    instances.run(&["start", "dev"]);
    assert_eq!(instances.sql("dev", "SELECT 1"), "1");
    instances.remove("dev");
}

#[test]
fn while_a_test_has_a_daemon_it_is_not_stopped_or_removed() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis", "other=redis"]);
    let redis = RedisDaemon::load(&shown[0].dir).unwrap();
    set(&redis, "a", "1").unwrap();
    let in_use = format!(
        "`{}` is in use by another handle, such as that of a test; drop or detach that one first",
        shown[0].dir.display()
    );
    // What nobody has is stopped all the same.
    assert_eq!(instances.error(&["stop", "dev"]), format!("redis: {in_use}"));
    assert_eq!(instances.status("dev")[1].pid, None);
    assert_eq!(instances.error(&["remove", "dev"]), format!("redis: {in_use}"));
    assert_eq!(
        instances.error(&["restart", "dev", "redis"]),
        format!("redis: {in_use}")
    );
    assert_eq!(instances.status("dev")[0], shown[0]);
    assert_eq!(get(&redis, "a").unwrap().as_deref(), Some("1"));
    redis.detach().unwrap();
    assert_eq!(instances.run(&["stop", "dev"]), "stopped dev/redis\n");
    instances.remove("dev");
}

#[test]
fn what_a_test_has_stopped_starts_only_when_it_is_done() {
    let instances = Instances::new();
    let shown = instances.shown(&["start", "dev", "redis"]);
    let redis = RedisDaemon::load(&shown[0].dir).unwrap();
    redis.stop().unwrap();
    let error = instances.error(&["start", "dev"]);
    let named = format!("`{}` is in use by another handle", shown[0].dir.display());
    assert!(error.starts_with(&named), "{error}");
    drop(redis);
    assert_eq!(instances.shown(&["start", "dev"])[0].url, shown[0].url);
    instances.remove("dev");
}

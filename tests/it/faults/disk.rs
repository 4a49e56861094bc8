//! Disks with a limit, which become full. Mounting takes root.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use managed_daemons::{
    ApacheDaemon, Builder, Daemon, ManagedDaemon, MemcachedDaemon, NginxDaemon, Phase, RabbitMqDaemon, RedisDaemon,
};
use managed_daemons_tests::{mariadb, mounts, mysql, postgres};

use crate::support::{
    assert_nothing_left, connect, eventually, failure_in, get, is_root, private_root, start_failure, FAR,
};

const MB: u64 = 1_000_000;

/// Whether a disk can be had; says so if not.
fn can_mount() -> bool {
    if !is_root() {
        println!("not tested: mounting takes root");
    }
    is_root()
}

#[test]
fn who_can_not_mount_is_told_what_to_do() {
    let builder = RedisDaemon::builder().disk_limit(MB);
    if is_root() {
        return;
    }
    let report = failure_in(Phase::Configure, builder);
    assert!(
        report.contains("option `disk_limit`: mounting a file system takes root"),
        "{report}"
    );
    assert!(report.contains("or leave it out"), "{report}");
}

#[test]
fn what_can_not_be_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own");
    let own = RedisDaemon::builder().working_dir(&path).disk_limit(MB);
    let report = failure_in(Phase::Configure, own);
    assert!(
        report.contains("leave out either `working_dir` or `disk_limit`"),
        "{report}"
    );
    assert!(!path.exists());
    let report = failure_in(Phase::Configure, RedisDaemon::builder().disk_limit(0));
    assert!(report.contains("0 bytes hold nothing"), "{report}");
    let error = RedisDaemon::builder().disk_limit(MB).load(dir.path()).unwrap_err();
    assert!(error.to_string().contains("option `disk_limit`"), "{error}");
}

/// The daemon starts with this limit and comes back from a crash; with a lower one it says what it
/// takes.
#[track_caller]
fn starts_with<D: Daemon + Clone>(builder: Builder<D>, least: u64, too_little: u64) {
    if !can_mount() {
        return;
    }
    let root = private_root();
    let builder = builder.temp_root(root.path()).start_timeout(FAR);
    let daemon = builder.clone().disk_limit(least).start().unwrap();
    assert_eq!(mounts(root.path()), [daemon.working_dir().display().to_string()]);
    daemon.killed().unwrap().start().unwrap();
    daemon.stopped().unwrap().start().unwrap();
    drop(daemon);
    assert_nothing_left(root.path());

    let report = start_failure(builder.disk_limit(too_little).start());
    let first = report.lines().next().unwrap();
    assert!(first.contains("did not start: `disk_limit` of "), "{report}");
    assert!(
        first.contains(" is too little for it to start: with its defaults it takes about "),
        "{report}"
    );
    assert_nothing_left(root.path());
}

#[test]
fn redis_starts_with_100_kb() {
    starts_with(RedisDaemon::builder(), MB / 10, 8 * 1024);
}

#[test]
fn memcached_starts_with_100_kb() {
    starts_with(MemcachedDaemon::builder(), MB / 10, 8 * 1024);
}

#[test]
fn nginx_starts_with_100_kb() {
    starts_with(NginxDaemon::builder(), MB / 10, 8 * 1024);
}

#[test]
fn apache_starts_with_100_kb() {
    starts_with(ApacheDaemon::builder(), MB / 10, 8 * 1024);
}

#[test]
fn postgres_starts_with_40_mb() {
    starts_with(postgres(), 40 * MB, MB);
}

#[test]
fn mariadb_starts_with_10_mb() {
    starts_with(mariadb(), 10 * MB, MB);
}

#[test]
fn mysql_starts_with_50_mb() {
    starts_with(mysql(), 50 * MB, MB);
}

#[test]
fn rabbitmq_starts_with_5_mb() {
    starts_with(RabbitMqDaemon::builder(), 5 * MB, MB / 10);
}

/// Takes what is left of the disk.
fn fill(dir: &Path) {
    let path = dir.join("fill");
    let error = fs::write(&path, vec![1; 300 * MB as usize]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

#[test]
fn redis_refuses_writes_while_its_disk_is_full() {
    if !can_mount() {
        return;
    }
    let builder = RedisDaemon::builder().setting("appendonly", "yes");
    let redis = builder.disk_limit(MB).start().unwrap();
    let mut connection = connect(&redis).unwrap();
    let mut set = || {
        ::redis::cmd("SET")
            .arg("large")
            .arg("x".repeat(100_000))
            .exec(&mut connection)
    };
    set().unwrap();
    fill(redis.working_dir());
    let mut error = String::new();
    eventually("refused a write", || match set() {
        Ok(()) => Err("it was accepted"),
        Err(refused) => {
            error = refused.to_string();
            Ok(())
        }
    });
    assert!(error.contains("No space left on device"), "{error}");
    fs::remove_file(redis.working_dir().join("fill")).unwrap();
    eventually("accepted a write", set);
    redis.killed().unwrap().start().unwrap();
    assert_eq!(get(&redis, "large").unwrap().map(|value| value.len()), Some(100_000));
}

#[test]
fn redis_can_not_save_and_then_can() {
    if !can_mount() {
        return;
    }
    let redis = RedisDaemon::builder()
        .disk_limit(MB)
        .setting("save", "3600 1")
        .start()
        .unwrap();
    let mut connection = connect(&redis).unwrap();
    let mut exec = |words: &[&str]| ::redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection);
    exec(&["SET", "large", &"x".repeat(10_000)]).unwrap();
    fill(redis.working_dir());
    exec(&["BGSAVE"]).unwrap();
    eventually("has failed to save", || match redis.log() {
        Ok(log) if log.contains("Background saving error") => Ok(()),
        log => Err(log),
    });
    let error = exec(&["SET", "more", "x"]).unwrap_err();
    assert_eq!(error.code(), Some("MISCONF"), "{error}");
    fs::remove_file(redis.working_dir().join("fill")).unwrap();
    exec(&["SAVE"]).unwrap();
    exec(&["SET", "more", "x"]).unwrap();
}

#[test]
fn postgres_refuses_rows_while_its_disk_is_full() {
    if !can_mount() {
        return;
    }
    // A fresh segment of its log, with all its zeros, has room for what comes. Without, PostgreSQL would
    // end (PANIC).
    let builder = postgres().setting("wal_init_zero", "on").setting("wal_recycle", "on");
    let postgres = builder.disk_limit(80 * MB).start().unwrap();
    postgres
        .query("CREATE TABLE kept AS SELECT 42 AS n; SELECT pg_switch_wal(); CHECKPOINT")
        .unwrap();
    postgres.query("INSERT INTO kept VALUES (43)").unwrap();
    fill(postgres.working_dir());
    let big = "CREATE UNLOGGED TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 10000)";
    let error = postgres.query(big).unwrap_err().report();
    assert!(error.contains("No space left on device"), "{error}");
    assert_eq!(postgres.query("SELECT n FROM kept").unwrap().len(), 2);
    fs::remove_file(postgres.working_dir().join("fill")).unwrap();
    postgres.query(big).unwrap();
    postgres.query("DROP TABLE big; INSERT INTO kept VALUES (44)").unwrap();
    assert_eq!(postgres.query("SELECT n FROM kept").unwrap().len(), 3);
}

/// The framework's own files are on the disk, too.
#[test]
fn a_daemon_can_be_killed_stopped_and_started_while_its_disk_is_full() {
    if !can_mount() {
        return;
    }
    let memcached = MemcachedDaemon::builder().disk_limit(MB).start().unwrap();
    fill(memcached.working_dir());
    memcached.kill().unwrap();
    assert!(memcached.start_if_not_running().unwrap());
    memcached.restart().unwrap();
    memcached.stopped().unwrap().start().unwrap();
    assert!(memcached.is_running());
    memcached.close().unwrap();
}

#[test]
fn a_daemon_that_can_not_come_back_says_that_its_disk_is_full() {
    if !can_mount() {
        return;
    }
    let rabbitmq = RabbitMqDaemon::builder().disk_limit(5 * MB).start().unwrap();
    fill(rabbitmq.working_dir());
    rabbitmq.kill().unwrap();
    let report = rabbitmq.start_if_not_running().unwrap_err().report();
    assert!(
        report.starts_with("rabbitmq: its disk is full: remove what fills it, or set a `disk_limit` above 5000 kB\n"),
        "{report}"
    );
    fs::remove_file(rabbitmq.working_dir().join("fill")).unwrap();
    assert!(rabbitmq.start_if_not_running().unwrap());
}

/// As root, who mounts, writes and removes there.
#[test]
fn the_daemons_user_can_not_change_what_is_above_the_disk() {
    if !can_mount() {
        return;
    }
    let root = private_root();
    // Like /tmp, where everybody may rename what is their own.
    fs::set_permissions(root.path(), Permissions::from_mode(0o1777)).unwrap();
    let redis = RedisDaemon::builder()
        .temp_root(root.path())
        .disk_limit(MB)
        .start()
        .unwrap();
    let disk = redis.working_dir();
    let above = disk.parent().unwrap();
    let user = fs::metadata(disk).unwrap();
    let can = |program: &str, paths: &[&Path]| {
        let mut command = Command::new(program);
        command
            .args(paths)
            .uid(user.uid())
            .gid(user.gid())
            .stderr(Stdio::null());
        command.status().unwrap().success()
    };
    assert!(can("touch", &[&disk.join("new")]));
    assert!(can("touch", &[&root.path().join("new")]));
    assert!(!can("touch", &[&above.join("new")]));
    assert!(!can("mv", &[above, &root.path().join("moved")]));
    redis.close().unwrap();
    fs::remove_file(root.path().join("new")).unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn a_disk_goes_with_its_handle() {
    if !can_mount() {
        return;
    }
    let root = private_root();
    let builder = || RedisDaemon::builder().temp_root(root.path()).disk_limit(MB);
    let error = builder().start().unwrap().detach().unwrap_err();
    assert!(
        error.to_string().contains("its `disk_limit` goes with its handle"),
        "{error}"
    );
    assert_nothing_left(root.path());
    drop(builder().configure().unwrap());
    assert_nothing_left(root.path());
    // Somebody looks around, and holds it.
    let redis = builder().start().unwrap();
    let held = fs::File::open(redis.working_dir()).unwrap();
    ManagedDaemon::close(redis).unwrap();
    assert_nothing_left(root.path());
    drop(held);
    builder().start().unwrap().destroy().unwrap();
    assert_nothing_left(root.path());
    let report = start_failure(builder().setting("maxmemory", "a lot").start());
    assert!(!report.contains("disk_limit"), "{report}");
    assert_nothing_left(root.path());
}

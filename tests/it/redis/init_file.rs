//! Files that fill a new server: snapshots, append-only files and commands.

use std::fs;
use std::path::{Path, PathBuf};

use managed_daemons::{Phase, RedisBuilder, RedisDaemon};
use redis::FromRedisValue;

use super::options::{assert_loaded, compile_module};
use crate::support::{config, connect, failure_in, get, is_root, private_root, set, start_failure};

fn ask<T: FromRedisValue>(daemon: &RedisDaemon, command: &[&str]) -> T {
    let mut connection = connect(daemon).unwrap();
    redis::cmd(command[0])
        .arg(&command[1..])
        .query(&mut connection)
        .unwrap()
}

fn value(daemon: &RedisDaemon, key: &str) -> Option<String> {
    get(daemon, key).unwrap()
}

/// A snapshot in which `from` is `snapshot`.
fn snapshot(dir: &Path) -> PathBuf {
    let daemon = RedisDaemon::start().unwrap();
    set(&daemon, "from", "snapshot").unwrap();
    let _: i32 = ask(&daemon, &["RPUSH", "list", "a", "b c"]);
    let _: () = ask(&daemon, &["SAVE"]);
    let path = dir.join("snapshot.rdb");
    fs::copy(daemon.working_dir().join("dump.rdb"), &path).unwrap();
    path
}

/// The two parts of an append-only file: in the first, a snapshot, `from` is `base`; in the other,
/// `more` is `increment`.
fn append_only(dir: &Path) -> [PathBuf; 2] {
    let daemon = RedisDaemon::builder().setting("appendonly", "yes").start().unwrap();
    set(&daemon, "from", "base").unwrap();
    let _: String = ask(&daemon, &["BGREWRITEAOF"]);
    crate::support::eventually("rewritten", || {
        let info: String = ask(&daemon, &["INFO", "persistence"]);
        match info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0") {
            true => Ok(()),
            false => Err(info),
        }
    });
    set(&daemon, "more", "increment").unwrap();
    daemon.stop().unwrap();
    let parts = fs::read_dir(daemon.working_dir().join("appendonlydir")).unwrap();
    let parts: Vec<PathBuf> = parts.map(|entry| entry.unwrap().path()).collect();
    [".base.rdb", ".incr.aof"].map(|end| {
        let part = parts.iter().find(|path| path.to_string_lossy().ends_with(end));
        let copy = dir.join(format!("part{end}"));
        fs::copy(part.unwrap(), &copy).unwrap();
        copy
    })
}

fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_snapshot_is_loaded_whatever_else_is_set() {
    let root = private_root();
    let snapshot = snapshot(root.path());
    let builder = || RedisDaemon::builder().init_file(&snapshot);
    let module = compile_module(root.path(), "hello.so");
    for (name, builder) in [
        ("default", builder()),
        ("password", builder().password("p\"ss w'rd")),
        ("no password", builder().without_password()),
        ("user", builder().extra_user("clerk", "s3cret")),
        ("dbfilename", builder().setting("dbfilename", "'two words.rdb'")),
        ("save", builder().setting("save", "\"\"")),
        ("module", builder().module(&module)),
        ("appendonly", builder().setting("appendonly", "yes")),
        (
            "appendfilename",
            builder()
                .setting("AppendOnly", "YES")
                .setting("appendfilename", "\"my file\""),
        ),
    ] {
        let daemon = builder.start().unwrap();
        let list: Vec<String> = ask(&daemon, &["LRANGE", "list", "0", "-1"]);
        assert_eq!(list, ["a", "b c"], "{name}");
        daemon.kill().unwrap();
        daemon.start_if_not_running().unwrap();
        assert_eq!(value(&daemon, "from").as_deref(), Some("snapshot"), "{name}");
        if name == "module" {
            assert_loaded(&daemon);
        }
    }
}

#[test]
fn an_append_only_file_is_loaded_in_one_part_or_two() {
    let root = private_root();
    let [base, increment] = append_only(root.path());
    let both = [fs::read(&base).unwrap(), fs::read(&increment).unwrap()].concat();
    let joined = write(root.path(), "joined.aof", both);
    let timed = b"#TS:1628217470\r\n*3\r\n$3\r\nSET\r\n$4\r\nmore\r\n$9\r\nincrement\r\n";
    let timed = write(root.path(), "timed.aof", timed);
    for keeps in ["no", "yes"] {
        let start = |files: &[&PathBuf]| {
            let builder = RedisDaemon::builder().setting("appendonly", keeps);
            let daemon = files.iter().fold(builder, RedisBuilder::init_file).start().unwrap();
            assert_eq!(config(&daemon, "appendonly"), keeps);
            let has_dir = daemon.working_dir().join("appendonlydir").exists();
            assert_eq!(has_dir, keeps == "yes");
            assert_eq!(value(&daemon, "more").as_deref(), Some("increment"));
            daemon
        };
        for files in [&[&base, &increment][..], &[&increment, &base], &[&joined]] {
            let daemon = start(files);
            assert_eq!(value(&daemon, "from").as_deref(), Some("base"));
            daemon.kill().unwrap();
            daemon.start_if_not_running().unwrap();
            assert_eq!(value(&daemon, "more").as_deref(), Some("increment"));
            assert_eq!(value(&daemon, "from").as_deref(), Some("base"));
        }
        for files in [[&increment], [&timed]] {
            assert_eq!(value(&start(&files), "from"), None);
        }
    }
}

#[test]
fn commands_are_read_as_redis_cli_reads_them() {
    let root = private_root();
    let first = write(
        root.path(),
        "first.txt",
        "\u{feff}# a comment\r\n\
         SET plain 1\r\n\
         \n  \t\n\
           # another\n\
         SET \"two words\" \"a \\\"quoted\\\" \\x00\\xfF\\n\\\\\"\n\
         SET 'it\\'s' 'single \"\\n'\n\
         SET ünïcödé \"✓ ✓\"\n\
         SET empty ''\n\
         MULTI\n\
         RPUSH list a 'b c'\n\
         EXEC\n\
         SELECT 2\n\
         SET elsewhere 1",
    );
    let second = write(
        root.path(),
        "second.txt",
        "INCR plain\nHELLO 3\nCONFIG GET save\nHGETALL none\n",
    );
    let daemon = RedisDaemon::builder()
        .init_file(&first)
        .init_file(&second)
        .start()
        .unwrap();
    assert_eq!(value(&daemon, "plain").as_deref(), Some("2"));
    let bytes: Vec<u8> = ask(&daemon, &["GET", "two words"]);
    assert_eq!(bytes, b"a \"quoted\" \x00\xff\n\\");
    assert_eq!(value(&daemon, "it's").as_deref(), Some("single \"\\n"));
    assert_eq!(value(&daemon, "ünïcödé").as_deref(), Some("✓ ✓"));
    assert_eq!(value(&daemon, "empty").as_deref(), Some(""));
    assert_eq!(value(&daemon, "elsewhere"), None, "that is in database 2");
    let list: Vec<String> = ask(&daemon, &["LRANGE", "list", "0", "-1"]);
    assert_eq!(list, ["a", "b c"]);
}

#[test]
fn thousands_of_commands_run_after_the_snapshot() {
    let root = private_root();
    let snapshot = snapshot(root.path());
    let text: String = (0..2500).map(|n| format!("RPUSH list {n}\n")).collect();
    let commands = write(root.path(), "commands.txt", text + "APPEND from ', and commands'");
    let daemon = RedisDaemon::builder()
        .init_file(&commands)
        .init_file(&snapshot)
        .start()
        .unwrap();
    assert_eq!(ask::<i64>(&daemon, &["LLEN", "list"]), 2502);
    assert_eq!(value(&daemon, "from").as_deref(), Some("snapshot, and commands"));
}

#[test]
fn files_are_loaded_once_and_what_the_test_does_is_kept() {
    let root = private_root();
    let commands = write(root.path(), "commands.txt", "INCR counter\nSET gone 1");
    let [_, increment] = append_only(root.path());
    for keeps in ["no", "yes"] {
        let dir = root.path().join(keeps);
        let builder = || {
            RedisDaemon::builder()
                .setting("appendonly", keeps)
                .init_file(&commands)
                .init_file(&increment)
                .working_dir(&dir)
        };
        let daemon = builder().start().unwrap();
        let _: i32 = ask(&daemon, &["INCR", "counter"]);
        let _: i32 = ask(&daemon, &["DEL", "gone", "more"]);
        let unchanged = |daemon: &RedisDaemon| {
            assert_eq!(value(daemon, "counter").as_deref(), Some("2"));
            assert_eq!(value(daemon, "gone"), None);
            assert_eq!(value(daemon, "more"), None);
        };
        daemon.restart().unwrap();
        unchanged(&daemon);
        daemon.close().unwrap();
        let daemon = builder().start().unwrap();
        unchanged(&daemon);
        let dir = daemon.detach().unwrap();
        let daemon = RedisDaemon::load(dir).unwrap();
        unchanged(&daemon);
        daemon.kill().unwrap();
        daemon.start_if_not_running().unwrap();
        unchanged(&daemon);
        daemon.destroy().unwrap();
    }
}

#[test]
fn a_file_that_can_not_be_read_is_named_before_anything_is_started() {
    let root = private_root();
    let dir = root.path();
    let unbalanced = write(dir, "unbalanced.txt", "SET a 1\n\nSET b \"2\n");
    let gzip = write(dir, "dump.rdb.gz", b"\x1f\x8b\x08\x00\x00\x00");
    let mut files = vec![
        (dir.join("missing.rdb"), "No such file or directory"),
        (dir.to_path_buf(), "is not a file"),
        (unbalanced, "line 3: unbalanced quotes in `SET b \"2`"),
        (gzip, "neither a snapshot (RDB) nor an append-only file (AOF)"),
    ];
    if !is_root() {
        use std::os::unix::fs::PermissionsExt;
        let closed = write(dir, "closed.rdb", "");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        files.push((closed, "Permission denied"));
    }
    for (path, said) in files {
        let report = failure_in(Phase::Configure, RedisDaemon::builder().init_file(&path));
        assert!(
            report.contains(said) && report.contains(path.to_str().unwrap()),
            "{report}"
        );
    }
    let one = snapshot(dir);
    let other = dir.join("other.rdb");
    fs::copy(&one, &other).unwrap();
    let both = RedisDaemon::builder().init_file(&one).init_file(&other);
    let report = failure_in(Phase::Configure, both);
    assert!(report.contains("a server loads only one"), "{report}");
    assert!(
        report.contains("snapshot.rdb") && report.contains("other.rdb"),
        "{report}"
    );
}

#[test]
fn a_refused_command_is_reported_with_its_line_and_the_answer() {
    let root = private_root();
    for (text, said) in [
        ("SET a 1\n# b\nSET b\n", "`SET b`, line 3 of "),
        ("SET b\n", "wrong number of arguments for 'set' command"),
        ("NOSUCH 1\n", "unknown command 'NOSUCH'"),
        ("SET a x\nMULTI\nINCR a\nEXEC\n", "`EXEC`, line 4 of "),
        ("SET a x\nMULTI\nINCR a\nEXEC\n", "not an integer"),
    ] {
        let file = write(root.path(), "commands.txt", text);
        let report = failure_in(Phase::Initialize, RedisDaemon::builder().init_file(&file));
        assert!(report.contains(said) && report.contains("commands.txt"), "{report}");
    }
}

#[test]
fn a_file_that_redis_can_not_load_is_named_with_its_complaint() {
    let root = private_root();
    let good = fs::read(snapshot(root.path())).unwrap();
    let newer = [b"REDIS0099", &good[9..]].concat();
    let damaged = [&good[..60], &b"\x01\x02\x03\x04"[..], &good[64..]].concat();
    for (name, content, said) in [
        ("newer.rdb", newer.as_slice(), "99"),
        ("damaged.rdb", &damaged, "RDB"),
        ("cut off.rdb", &good[..80], "RDB"),
        ("wrong.aof", b"*1\r\n$6\r\nNOSUCH\r\n", "Unknown command 'NOSUCH'"),
        ("wrong.aof", b"*1\r\nNOSUCH\r\n", "Bad file format"),
    ] {
        let file = write(root.path(), name, content);
        for keeps in ["no", "yes"] {
            let builder = RedisDaemon::builder().setting("appendonly", keeps).init_file(&file);
            let result = builder.start();
            let message = result.as_ref().map_err(ToString::to_string).map(drop).unwrap_err();
            assert!(message.contains(said) && message.contains(name), "{message}");
            start_failure(result);
        }
    }
}

#[test]
fn after_a_first_start_that_failed_the_next_one_loads_everything() {
    let root = private_root();
    let dir = root.path().join("data");
    let file = write(root.path(), "commands.txt", b"SET a 1\nNO-SUCH-COMMAND\nSET b 2\n");
    let builder = || RedisDaemon::builder().working_dir(&dir).init_file(&file);
    start_failure(builder().start());
    write(root.path(), "commands.txt", b"SET a 1\nSET b 2\n");
    let daemon = builder().start().unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(value(&daemon, "b").as_deref(), Some("2"));
}

#[test]
fn url_works_whatever_commands_make_of_its_account() {
    let root = private_root();
    let with_password = || RedisDaemon::builder().password("ours");
    let without_password = || RedisDaemon::builder().without_password();
    for (at, commands) in [
        "CONFIG SET requirepass foo",
        "ACL SETUSER default off",
        "ACL SETUSER default resetpass >foo",
    ]
    .into_iter()
    .enumerate()
    {
        let file = write(
            root.path(),
            &format!("{at}.redis"),
            format!("{commands}\nSET key value\n"),
        );
        let next = write(root.path(), "next.redis", "SET next one\n");
        for builder in [with_password(), without_password()] {
            let daemon = builder.init_file(&file).init_file(&next).start().unwrap();
            assert_eq!(value(&daemon, "key").as_deref(), Some("value"), "{commands}");
            assert_eq!(value(&daemon, "next").as_deref(), Some("one"), "{commands}");
        }
    }
    let rights = write(
        root.path(),
        "rights.redis",
        "SET key value\nACL SETUSER default off -@all\n",
    );
    let report = start_failure(with_password().init_file(&rights).start());
    for part in ["restore the account of `url()` after", "rights.redis", "NOPERM"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

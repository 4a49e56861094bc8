//! The configuration file that users deploy.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use managed_daemons::{BinaryRequest, BinarySpec, RedisBuilder, RedisDaemon};

use super::ask;
use super::options::{assert_loaded, compile_module};
use crate::support::{config, private_root, start_failure};

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn with(file: &Path) -> RedisBuilder {
    RedisDaemon::builder().config_file(file)
}

#[test]
fn a_deployed_file_is_used_with_its_includes_but_not_its_paths() {
    let root = private_root();
    let dir = root.path();
    let text = "\
        bind * -::*\nport 6379\ntls-port 6380\ntls-cert-file /no/such/cert\nprotected-mode yes\n\
        daemonize yes\nsupervised systemd\npidfile /no/such/redis.pid\nlogfile /no/such/redis.log\n\
        syslog-enabled yes\nunixsocket /no/such/redis.sock\nunixsocketperm 777\ndir /no/such/dir\n\
        requirepass \"p@ss w\\x6frd\"\nsave 900 1\nsave 300 10\nappendonly yes\ndbfilename data.rdb\n\
        include limits/[0-9].conf\ninclude limits/none-*.conf\ninclude /etc/redis/more.conf\nhz 20\n";
    let file = write(dir, "redis.conf", text);
    write(dir, "limits/1.conf", "maxmemory 1mb\nmaxmemory-policy allkeys-lru\n");
    write(dir, "limits/2.conf", "maxmemory 2mb\n");
    write(dir, "limits/.hidden.conf", "nonsense\n");
    write(dir, "more.conf", "# nested\n\ninclude sub/deep.conf\n");
    write(
        dir,
        "sub/deep.conf",
        "rename-command FLUSHALL \"\"\nrename-command CONFIG conf-1g\n",
    );
    // The server's user need not be able to read it.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let daemon = with(&file).setting("hz", "50").start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(daemon.password(), Some("p@ss word"));
    let setting = |name| {
        let [_, value]: [String; 2] = ask(&daemon, &["conf-1g", "GET", name]).unwrap();
        value
    };
    for (name, expected) in [
        ("maxmemory", "2097152"),
        ("maxmemory-policy", "allkeys-lru"),
        ("save", "900 1 300 10"),
        ("appendonly", "yes"),
        ("hz", "50"),
        ("logfile", ""),
        ("dir", daemon.working_dir().to_str().unwrap()),
    ] {
        assert_eq!(setting(name), expected, "{name}");
    }
    let report = daemon.report().to_string();
    for ignored in ["`bind`, line 1", "`tls-port`, line 3", "`dir`, line 13"] {
        let ignored = format!("{ignored} of `{}`", file.display());
        assert!(report.contains(&ignored), "no {ignored} in:\n{report}");
    }
    assert!(ask::<String>(&daemon, &["FLUSHALL"]).is_err());
    let _: () = ask(&daemon, &["SET", "a", "1"]).unwrap();
    let replica = daemon.replica().unwrap();
    assert_eq!(ask::<i32>(&replica, &["GET", "a"]).unwrap(), 1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let dir = daemon.detach().unwrap();
    let daemon = RedisDaemon::load(dir).unwrap();
    daemon.restart().unwrap();
    assert_eq!(ask::<i32>(&daemon, &["GET", "a"]).unwrap(), 1);
    daemon.destroy().unwrap();
}

#[test]
fn the_file_of_the_distribution_is_used() {
    let binary = BinarySpec::named("redis")
        .unwrap()
        .locate(&BinaryRequest::default())
        .unwrap();
    let near = binary.path.ancestors().map(|dir| dir.join("etc/redis/redis.conf"));
    let Some(file) = near.into_iter().find(|path| path.is_file()) else {
        return; // a Redis from another place
    };
    let daemon = with(&file).start().unwrap();
    assert_eq!(config(&daemon, "save"), "3600 1 300 100 60 10000");
    assert_eq!(config(&daemon, "maxmemory"), "0");
}

#[test]
fn data_are_loaded_as_the_file_says() {
    let root = private_root();
    let commands = write(root.path(), "seed.txt", "SET a 1\n");
    for text in ["appendonly yes\n", "dbfilename other.rdb\nrename-command SAVE keep\n"] {
        let daemon = with(&write(root.path(), "redis.conf", text))
            .init_file(&commands)
            .start();
        let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
        daemon.kill().unwrap();
        daemon.start_if_not_running().unwrap();
        assert_eq!(ask::<i32>(&daemon, &["GET", "a"]).unwrap(), 1);
    }
}

#[test]
fn url_has_an_account_of_the_file() {
    let root = private_root();
    let accounts = "user default off\nuser app on >s3cret ~* &* +@all\n";
    write(root.path(), "users.acl", accounts);
    for (text, user, password) in [
        ("user default on >\"p w\" ~* &* +@all\n", "default", Some("p w")),
        ("user default on nopass ~* &* +@all\n", "default", None),
        (accounts, "app", Some("s3cret")),
        ("aclfile users.acl\n", "app", Some("s3cret")),
        (
            "rename-command PING \"\"\nrename-command AUTH auth\nuser default on >x ~* +@all -ping\n",
            "default",
            Some("x"),
        ),
    ] {
        let daemon = with(&write(root.path(), "redis.conf", text)).start();
        let daemon = daemon.unwrap_or_else(|error| panic!("{text}: {}", error.report()));
        assert_eq!(daemon.password(), password, "{text}");
        for url in [daemon.url(), daemon.unix_socket_url()] {
            let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
            let name: String = redis::cmd("ACL").arg("WHOAMI").query(&mut connection).unwrap();
            assert_eq!(name, user, "{text}");
        }
        // Replicas need PING.
        if !text.contains("PING") {
            let replica = daemon.replica();
            drop(replica.unwrap_or_else(|error| panic!("{text}: {}", error.report())));
        }
    }
}

#[test]
fn a_module_is_found_beside_the_file() {
    let root = private_root();
    compile_module(root.path(), "hello.so");
    let daemon = with(&write(root.path(), "redis.conf", "loadmodule hello.so\n"))
        .start()
        .unwrap();
    assert_loaded(&daemon);
}

#[test]
fn what_can_not_be_used_is_named_with_its_line() {
    let root = private_root();
    for (text, named) in [
        (
            "\nloadmodule /no/such.so ARG\n",
            "line 2, `loadmodule /no/such.so ARG`: there is no module",
        ),
        ("include missing.conf\n", "missing.conf"),
        ("aclfile missing.acl\n", "missing.acl"),
        ("include redis.conf\n", "includes itself"),
        ("maxmemory \"1\n", "unbalanced quotes"),
        ("replicaof db.example 6379\n", "replica_builder"),
        ("cluster-enabled yes\n", "RedisCluster"),
        ("sentinel monitor a 127.0.0.1 1 1\n", "RedisSentinel"),
        ("rename-command AUTH \"\"\n", "log in"),
        ("user default on #00\n", "no account"),
        ("# one\n\n\nno-such-setting 1\n", "line 4"),
        ("maxmemory lots\n", "line 1"),
    ] {
        let file = write(root.path(), "redis.conf", text);
        let report = start_failure(with(&file).start());
        assert!(
            report.contains(named) && report.contains(file.to_str().unwrap()),
            "{text}: {report}"
        );
    }
    let report = start_failure(with(Path::new("no-such.conf")).start());
    assert!(report.contains("no-such.conf"), "{report}");
    let file = write(root.path(), "redis.conf", "user default on >x ~* +@all\n");
    let report = start_failure(with(&file).password("other").start());
    assert!(report.contains("`password`"), "{report}");
}

#[test]
fn a_replica_of_the_file_follows_a_primary_of_the_test() {
    let root = private_root();
    let file = write(
        root.path(),
        "redis.conf",
        "replicaof db.example 6379\nmasterauth x\nhz 20\n",
    );
    let primary = RedisDaemon::start().unwrap();
    let _: () = ask(&primary, &["SET", "a", "1"]).unwrap();
    let replica = primary.replica_builder().config_file(&file).start().unwrap();
    assert_eq!(ask::<i32>(&replica, &["GET", "a"]).unwrap(), 1);
    assert_eq!(config(&replica, "hz"), "20");
}

#[test]
fn a_file_of_accounts_without_a_default_user_leaves_nobody_in() {
    let root = private_root();
    write(root.path(), "users.acl", "user app on >s3cret ~* &* +@all");
    for (text, password) in [
        ("aclfile users.acl\n", None),
        ("aclfile users.acl\nrequirepass w0rd\n", Some("w0rd")),
    ] {
        let daemon = with(&write(root.path(), "redis.conf", text)).start().unwrap();
        assert!(password.is_none_or(|password| daemon.password() == Some(password)));
        let who: String = ask(&daemon, &["ACL", "WHOAMI"]).unwrap();
        assert_eq!(who, "default", "{text}");
        let anonymous = redis::Client::open(format!("redis://127.0.0.1:{}/", daemon.port())).unwrap();
        let refused = (redis::cmd("SET").arg("a").arg(1)).exec(&mut anonymous.get_connection().unwrap());
        assert_eq!(refused.unwrap_err().code(), Some("NOAUTH"), "{text}");
        let app = redis::Client::open(format!("redis://app:s3cret@127.0.0.1:{}/", daemon.port())).unwrap();
        redis::cmd("SET")
            .arg("a")
            .arg(1)
            .exec(&mut app.get_connection().unwrap())
            .unwrap();
    }
    let file = write(root.path(), "redis.conf", "aclfile users.acl\n");
    let report = start_failure(with(&file).password("two words").start());
    assert!(report.contains("`password`") && report.contains("aclfile"), "{report}");
}

#[test]
fn a_server_that_refuses_ping_is_ready_when_it_has_loaded_its_data() {
    let root = private_root();
    let dir = root.path().join("data");
    let first = RedisDaemon::builder().working_dir(&dir).start().unwrap();
    for key in 0..1000 {
        let _: () = ask(&first, &["SET", &key.to_string(), "1"]).unwrap();
    }
    first.close().unwrap();
    // Loading takes a second, and the server answers meanwhile.
    let slow = "key-load-delay 1000\nloading-process-events-interval-bytes 1024\n";
    let account = "user default off\nuser app on >x ~* &* +@read\n";
    let file = write(root.path(), "redis.conf", &format!("{slow}{account}"));
    let again = RedisDaemon::builder()
        .working_dir(&dir)
        .config_file(&file)
        .password("x");
    let again = again.start().unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(ask::<i32>(&again, &["GET", "999"]).unwrap(), 1);
}

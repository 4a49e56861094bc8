//! Valkey, which has the recipe of Redis with another program.

use managed_daemons::{with_valkey, with_valkey_cluster, RedisDaemon, ValkeyCluster, ValkeyDaemon, ValkeySentinel};

use crate::support::{assert_nothing_left, private_root};

/// The suite to fetch from. Debian 12 has no Valkey, but the next release has.
fn suite() -> &'static str {
    match std::fs::read_to_string("/etc/os-release") {
        Ok(release) if release.contains("VERSION_CODENAME=bookworm") => "trixie",
        _ => "",
    }
}

fn ask<T: redis::FromRedisValue>(url: &str, command: &[&str]) -> redis::RedisResult<T> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    redis::cmd(command[0]).arg(&command[1..]).query(&mut connection)
}

#[with_valkey(suite(suite()), setting("maxmemory", "8mb"))]
#[test]
fn valkey_takes_the_options_of_redis(valkey: ValkeyDaemon) -> redis::RedisResult<()> {
    let info: String = ask(&valkey.url(), &["INFO", "server"])?;
    assert!(info.contains("server_name:valkey"), "{info}");
    assert!(info.contains(&format!("valkey_version:{}", valkey.version())), "{info}");
    let limit: Vec<String> = ask(&valkey.url(), &["CONFIG", "GET", "maxmemory"])?;
    assert_eq!(limit, ["maxmemory", "8388608"]);
    let wrong = valkey.url().replace(valkey.password().unwrap(), "wrong");
    assert!(ask::<String>(&wrong, &["PING"]).is_err());
    Ok(())
}

#[test]
fn restart_and_load_keep_data_and_port() {
    let root = private_root();
    let dir = root.path().join("mine");
    let password = "q\"uo'te #\\ \n ü";
    let daemon = ValkeyDaemon::builder()
        .suite(suite())
        .password(password)
        .working_dir(&dir)
        .start()
        .unwrap();
    let url = daemon.url();
    let _: () = ask(&url, &["SET", "foo", "bar"]).unwrap();
    daemon.restart().unwrap();
    assert_eq!(daemon.url(), url);
    assert_eq!(ask::<String>(&url, &["GET", "foo"]).unwrap(), "bar");
    daemon.pause().unwrap();
    daemon.resume().unwrap();
    daemon.close().unwrap();
    let error = RedisDaemon::load(&dir).unwrap_err().report();
    assert!(error.contains("belongs to a valkey daemon"), "{error}");
    let daemon = ValkeyDaemon::load(&dir).unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(ask::<String>(&daemon.url(), &["GET", "foo"]).unwrap(), "bar");
    daemon.destroy().unwrap();
    assert_nothing_left(root.path());
}

#[test]
fn a_bad_setting_is_reported_in_the_words_of_valkey() {
    let error = ValkeyDaemon::builder()
        .suite(suite())
        .setting("nonsense", "1")
        .start()
        .unwrap_err()
        .report();
    assert!(
        error.contains("valkey did not start") && error.contains("nonsense"),
        "{error}"
    );
}

#[test]
fn a_snapshot_of_redis_and_then_commands_are_loaded() {
    let root = private_root();
    let old = RedisDaemon::start().unwrap();
    let _: () = ask(&old.url(), &["SET", "from", "redis"]).unwrap();
    let _: () = ask(&old.url(), &["SAVE"]).unwrap();
    let commands = root.path().join("commands.txt");
    std::fs::write(&commands, "APPEND from \" and \\xe2\\x9c\\x93\"\n").unwrap();
    for keeps in ["no", "yes"] {
        let daemon = ValkeyDaemon::builder()
            .suite(suite())
            .setting("appendonly", keeps)
            .init_file(old.working_dir().join("dump.rdb"))
            .init_file(&commands)
            .start()
            .unwrap();
        daemon.kill().unwrap();
        daemon.start_if_not_running().unwrap();
        let value: String = ask(&daemon.url(), &["GET", "from"]).unwrap();
        assert_eq!(value, "redis and ✓");
    }
}

#[with_valkey_cluster(node(ValkeyDaemon::builder().suite(suite())), replicas(1))]
#[test]
fn a_cluster_of_valkey_has_its_slots_and_replicas(cluster: ValkeyCluster) {
    let url = &cluster.urls()[5];
    let shards: String = ask(url, &["CLUSTER", "NODES"]).unwrap();
    assert_eq!(shards.lines().count(), 6, "{shards}");
    let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let _: () = redis::cmd("SET").arg("a").arg(1).query(&mut connection).unwrap();
    assert!(
        shards.matches(" slave ").count() + shards.matches("myself,slave ").count() == 3,
        "{shards}"
    );
}

#[test]
fn sentinel_watches_valkey() {
    let node = ValkeyDaemon::builder().suite(suite());
    // On a busy machine, a server may say nothing for longer than the default.
    let down_after = std::time::Duration::from_secs(4);
    let sentinel = ValkeySentinel::builder().node(node).down_after(down_after).start();
    let sentinel = sentinel.unwrap();
    sentinel.primary().unwrap().kill().unwrap();
    sentinel.wait_until_ok().unwrap();
    let url = sentinel.primary().unwrap().url();
    let _: () = ask(&url, &["SET", "a", "1"]).unwrap();
}

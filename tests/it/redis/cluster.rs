//! Clusters, with the client that people use.

use std::collections::HashSet;

use managed_daemons::{with_redis_cluster, RedisCluster, RedisDaemon};
use redis::cluster::ClusterClient;

use super::ask;
use crate::support::{config, eventually, private_root, start_failure};

#[with_redis_cluster]
#[test]
fn a_cluster_shares_the_slots_among_three_primaries(cluster: RedisCluster) {
    let mut client = ClusterClient::new(cluster.urls()).unwrap().get_connection().unwrap();
    for key in 0..100 {
        let _: () = redis::cmd("SET").arg(key).arg(key * 2).query(&mut client).unwrap();
    }
    for key in 0..100 {
        let value: i32 = redis::cmd("GET").arg(key).query(&mut client).unwrap();
        assert_eq!(value, key * 2);
    }
    let sizes: Vec<i32> = (cluster.nodes().iter())
        .map(|node| ask(node, &["DBSIZE"]).unwrap())
        .collect();
    assert_eq!(sizes.iter().sum::<i32>(), 100);
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size > 0), "{sizes:?}");
    for node in cluster.nodes() {
        let info: String = ask(node, &["CLUSTER", "INFO"]).unwrap();
        for line in ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"] {
            assert!(info.contains(line), "{info}");
        }
    }
}

#[test]
fn a_replica_takes_over_and_the_old_primary_comes_back_as_its_replica() {
    let node = RedisDaemon::builder()
        .password("p@ss \"w")
        .setting("cluster-node-timeout", "4000")
        .setting("maxmemory", "16mb");
    let cluster = RedisCluster::builder().node(node).replicas(1).start();
    let cluster = cluster.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!((cluster.primaries().len(), cluster.replicas().len()), (3, 3));
    assert_eq!(config(&cluster.nodes()[5], "maxmemory"), "16777216");
    let client = ClusterClient::new(cluster.urls()).unwrap();
    let _: () = (redis::cmd("SET").arg("key").arg(1))
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    let owner = (cluster.primaries().iter())
        .position(|node| ask::<i32>(node, &["DBSIZE"]).unwrap() == 1)
        .unwrap();
    let (primary, replica) = (&cluster.primaries()[owner], &cluster.replicas()[owner]);
    replica.catch_up_with(primary).unwrap();
    primary.kill().unwrap();
    cluster.wait_until_ok().unwrap();
    let value: i32 = (redis::cmd("INCR").arg("key"))
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    assert_eq!(value, 2);
    assert_eq!(ask::<i32>(replica, &["GET", "key"]).unwrap(), 2);
    primary.start_if_not_running().unwrap();
    eventually("a replica", || primary.catch_up_with(replica));
    let slots: String = ask(primary, &["CLUSTER", "NODES"]).unwrap();
    assert!(slots.contains("myself,slave"), "{slots}");
}

/// Otherwise, nobody votes for a replica whose primary fails soon after the start.
#[test]
fn each_node_knows_the_configuration_epochs_of_all_primaries() {
    let cluster = RedisCluster::builder().primaries(5).replicas(1).start().unwrap();
    let epochs_of = |node: &RedisDaemon| {
        let nodes: String = ask(node, &["CLUSTER", "NODES"]).unwrap();
        let mut epochs: Vec<(String, u64)> = (nodes.lines())
            .map(|line| line.split(' ').collect::<Vec<_>>())
            // Only those with slots.
            .filter(|words| words.len() > 8)
            .map(|words| (words[0].to_owned(), words[6].parse().unwrap()))
            .collect();
        epochs.sort();
        epochs
    };
    let epochs = epochs_of(&cluster.nodes()[0]);
    let different: HashSet<u64> = epochs.iter().map(|(_, epoch)| *epoch).collect();
    assert_eq!(different.len(), 5, "{epochs:?}");
    for node in cluster.nodes() {
        assert_eq!(epochs_of(node), epochs);
    }
}

#[test]
fn a_plain_start_makes_the_same_cluster() {
    let node = RedisDaemon::builder().plain();
    let cluster = RedisCluster::builder().node(node).replicas(1).start();
    let cluster = cluster.unwrap_or_else(|error| panic!("{}", error.report()));
    let mut client = ClusterClient::new(cluster.urls()).unwrap().get_connection().unwrap();
    for key in 0..20 {
        let _: () = redis::cmd("SET").arg(key).arg(key * 2).query(&mut client).unwrap();
    }
    for (primary, replica) in cluster.primaries().iter().zip(cluster.replicas()) {
        replica.catch_up_with(primary).unwrap();
        let sizes = [primary, replica].map(|node| ask::<i32>(node, &["DBSIZE"]).unwrap());
        assert!(sizes[0] > 0 && sizes[0] == sizes[1], "{sizes:?}");
        let info: String = ask(replica, &["CLUSTER", "INFO"]).unwrap();
        for line in [
            "cluster_state:ok",
            "cluster_slots_ok:16384",
            "cluster_known_nodes:6",
            "cluster_size:3",
        ] {
            assert!(info.contains(line), "{info}");
        }
    }
}

#[test]
fn a_paused_primary_is_replaced_as_well() {
    let node = RedisDaemon::builder()
        .setting("cluster-node-timeout", "4000")
        .without_password();
    let cluster = RedisCluster::builder().node(node).replicas(1).start().unwrap();
    cluster.primaries()[1].pause().unwrap();
    cluster.wait_until_ok().unwrap();
    let role: String = ask(&cluster.replicas()[1], &["INFO", "replication"]).unwrap();
    assert!(role.contains("role:master"), "{role}");
}

#[test]
fn a_cluster_that_can_not_be_is_refused() {
    let builder = RedisCluster::builder;
    for (result, named) in [
        (builder().primaries(2).start(), "at least three"),
        (builder().replicas(usize::MAX).start(), "at most 100"),
        (
            builder()
                .node(RedisDaemon::builder().setting("cluster-port", "no"))
                .start(),
            "cluster-port",
        ),
        (
            builder().node(RedisDaemon::builder().password("nul\0")).start(),
            "`password`",
        ),
        (
            builder().node(RedisDaemon::builder().init_file("dump.rdb")).start(),
            "`init_file`",
        ),
        (builder().node(RedisDaemon::builder().port(6379)).start(), "`port`"),
        (
            builder().node(RedisDaemon::builder().working_dir("here")).start(),
            "`working_dir`",
        ),
    ] {
        let report = start_failure(result);
        assert!(
            report.contains("redis did not start") && report.contains(named),
            "{report}"
        );
    }
}

#[test]
fn the_nodes_use_a_deployed_file() {
    let root = private_root();
    let file = root.path().join("redis.conf");
    let text = "port 6379\ncluster-enabled yes\ncluster-config-file /no/such/nodes.conf\ncluster-port 16379\n\
        cluster-announce-ip 10.0.0.5\ncluster-announce-port 6379\ncluster-announce-bus-port 16379\n\
        cluster-announce-hostname redis.example\ncluster-node-timeout 7000\nrequirepass s3cret\nhz 20\n\
        rename-command CLUSTER shards\n";
    std::fs::write(&file, text).unwrap();
    let node = RedisDaemon::builder().config_file(&file);
    let cluster = RedisCluster::builder().node(node).replicas(1).start();
    let cluster = cluster.unwrap_or_else(|error| panic!("{}", error.report()));
    for node in cluster.nodes() {
        assert_eq!(node.password(), Some("s3cret"));
        assert_eq!(config(node, "hz"), "20");
        assert_eq!(config(node, "cluster-node-timeout"), "7000");
        let seen: String = ask(node, &["shards", "NODES"]).unwrap();
        assert!(seen.contains(&format!("127.0.0.1:{}@", node.port())), "{seen}");
    }
}

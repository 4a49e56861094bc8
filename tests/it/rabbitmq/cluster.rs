//! Clusters of several nodes.

use std::path::Path;
use std::time::Instant;

use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use managed_daemons::{with_rabbitmq, ManagedDaemonError, RabbitMqDaemon};

use super::client::{connect, open, text};
use crate::support::{assert_nothing_left, eventually, has_apt, is_full_run, private_root, PATIENCE};

#[with_rabbitmq(cluster(3))]
#[tokio::test]
async fn a_quorum_queue_survives_the_loss_of_a_node(rabbit: RabbitMqDaemon) {
    let others = rabbit.other_nodes();
    assert_eq!(others.len(), 2);
    for node in others {
        let running = node.eval("length(rabbit_nodes:all_running()).").unwrap();
        assert_eq!(running, "3");
    }
    let (connection, channel) = open(&rabbit).await;
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare("replicated", durable, quorum).await.unwrap();
    let publishing = channel.basic_publish("", "replicated", Default::default(), b"safe", Default::default());
    publishing.await.unwrap().await.unwrap();
    drop((connection, channel));

    rabbit.kill().unwrap();
    // The queue is unavailable until the other two have elected a leader.
    let deadline = Instant::now() + PATIENCE;
    let message = loop {
        match get_from(&others[1].url()).await {
            Ok(message) => break message,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    assert_eq!(message.as_deref(), Some("safe"));

    rabbit.start_if_not_running().unwrap();
    eventually("a cluster of three nodes again", || {
        match others[0].eval("length(rabbit_nodes:all_running()).").unwrap() {
            running if running == "3" => Ok(()),
            running => Err(running),
        }
    });
}

/// Gets a message over a new connection: an error closes it.
async fn get_from(url: &str) -> lapin::Result<Option<String>> {
    let connection = connect(url).await?;
    let channel = connection.create_channel().await?;
    let Some(message) = channel.basic_get("replicated", BasicGetOptions::default()).await? else {
        return Ok(None);
    };
    message.ack(BasicAckOptions::default()).await?;
    Ok(Some(text(&message.data).to_owned()))
}

#[test]
fn all_nodes_run_from_one_installation() {
    if !is_full_run() || !has_apt() {
        return;
    }
    // Not what a search without this option finds.
    let rabbit = RabbitMqDaemon::builder().suite("sid").cluster(2).start();
    let rabbit = rabbit.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(rabbit.other_nodes()[0].binary(), rabbit.binary());
}

fn two_nodes(root: &Path) -> RabbitMqDaemon {
    RabbitMqDaemon::builder().cluster(2).temp_root(root).start().unwrap()
}

#[test]
fn a_dropped_cluster_leaves_nothing() {
    let root = private_root();
    let rabbit = two_nodes(root.path());
    assert_eq!(rabbit.other_nodes()[0].password(), rabbit.password());
    drop(rabbit);
    assert_nothing_left(root.path());
}

#[test]
fn a_cluster_cannot_be_detached() {
    let root = private_root();
    let rabbit = two_nodes(root.path());
    let refused = rabbit.detach().unwrap_err();
    assert!(matches!(refused, ManagedDaemonError::State { .. }), "{refused:?}");
    assert_nothing_left(root.path());
}

//! A broker that takes no messages, for want of room or memory, says so: a client that publishes
//! does not wait for ever.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::publisher_confirm::Confirmation;
use lapin::{BasicProperties, Channel, Connection, ErrorKind};
use managed_daemons::{with_rabbitmq, RabbitMqDaemon};
use nix::sys::statvfs::statvfs;

use super::client::{declare, open, publish, take, QUEUE};
use crate::support::{eventually, is_root, start_failure, Mount, FAR};

/// Leaves this many bytes of a file system free, and returns the file that has the others.
fn fill(dir: &Path, left: u64) -> PathBuf {
    let found = statvfs(dir).unwrap();
    let size = (found.blocks_available() * found.fragment_size()).saturating_sub(left);
    let ballast = dir.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    file.write_all(&vec![1; size as usize]).unwrap();
    ballast
}

async fn try_publish(channel: &Channel) -> lapin::Result<Confirmation> {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel
        .basic_publish("", QUEUE, options, b"work", properties)
        .await?
        .await
}

/// Publishes until the broker has had enough, and returns what it says then.
async fn refusal(connection: &Connection) -> String {
    loop {
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let error = loop {
            if let Err(error) = try_publish(&channel).await {
                break error;
            }
        };
        // Between two messages the broker closes the channel, too, and nobody waits for the reason.
        if !matches!(error.kind(), ErrorKind::InvalidChannelState(..)) {
            return error.to_string();
        }
    }
}

fn is_disk_alarm(said: &str) -> bool {
    said.contains("the broker takes no messages: ")
        && said.contains(" kB are left on the disk, and its `disk_free_limit` is 2000 kB")
}

/// RabbitMQ's own limit is 50 MB, more than there are here.
#[tokio::test]
async fn a_small_disk_is_enough_until_it_is_full_and_then_the_publisher_is_told() {
    if !is_root() {
        println!("not tested: mounting takes root");
        return;
    }
    drop(RabbitMqDaemon::start().unwrap()); // prepares files, which takes more room
    let mount = Mount::new("size=40m");
    let rabbit = RabbitMqDaemon::builder().temp_root(mount.path()).start().unwrap();
    assert_eq!(rabbit.alarms().unwrap(), Vec::<String>::new());
    let (connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    publish(&channel, "early").await;

    let ballast = fill(mount.path(), 1_000_000);
    let said = refusal(&connection).await;
    assert!(is_disk_alarm(&said), "{said}");
    let alarms = rabbit.alarms().unwrap();
    assert!(
        matches!(alarms.as_slice(), [alarm] if is_disk_alarm(alarm)),
        "{alarms:?}"
    );
    assert!(rabbit.log().unwrap().lines().any(is_disk_alarm));

    // Another broker does not even start there.
    let other = RabbitMqDaemon::builder().temp_root(mount.path()).start_timeout(FAR);
    let report = start_failure(other.start());
    assert!(report.starts_with("rabbitmq did not start: "), "{report}");
    assert!(
        is_disk_alarm(&report) || report.contains("has too little room"),
        "{report}"
    );

    std::fs::remove_file(ballast).unwrap();
    eventually("without alarms", || match rabbit.alarms().unwrap() {
        alarms if alarms.is_empty() => Ok(()),
        alarms => Err(alarms),
    });
    let (_connection, channel) = open(&rabbit).await;
    assert_eq!(take(&channel).await, "early");
    publish(&channel, "late").await;
}

/// Who sets a limit may want to see what a client does that has to wait.
#[with_rabbitmq(setting("vm_memory_high_watermark.absolute", "1MB"))]
#[tokio::test]
async fn a_limit_of_the_users_own_makes_clients_wait(rabbit: RabbitMqDaemon) {
    eventually("in alarm", || match rabbit.alarms().unwrap().as_slice() {
        [alarm] => {
            assert!(
                alarm.contains("more memory than its `vm_memory_high_watermark`, "),
                "{alarm}"
            );
            Ok(())
        }
        other => Err(other.to_vec()),
    });
    let (connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    let publishing = channel.basic_publish("", QUEUE, Default::default(), b"work", Default::default());
    let _confirmation = publishing.await.unwrap();
    eventually("blocked", || match connection.status().blocked() {
        true => Ok(()),
        false => Err("not blocked"),
    });
    assert!(connection.status().connected());
}

/// Other settings, which RabbitMQ reads from a file, change nothing about them.
#[test]
fn limits_suit_a_broker_that_shares_the_machine() {
    let builder = RabbitMqDaemon::builder;
    for builder in [builder(), builder().setting("heartbeat", "7")] {
        let rabbit = builder.start().unwrap();
        let limit = rabbit.eval("vm_memory_monitor:get_memory_limit().").unwrap();
        assert!(limit.parse::<u64>().unwrap() <= 1_000_000_000, "{limit}");
        assert_eq!(
            rabbit.eval("rabbit_disk_monitor:get_disk_free_limit().").unwrap(),
            "2000000"
        );
    }
}

#[with_rabbitmq(
    setting("disk_free_limit.absolute", "5MB"),
    setting("vm_memory_high_watermark.relative", "0.5")
)]
#[test]
fn other_limits_can_be_set(rabbit: RabbitMqDaemon) {
    assert_eq!(
        rabbit.eval("rabbit_disk_monitor:get_disk_free_limit().").unwrap(),
        "5000000"
    );
    assert_eq!(
        rabbit
            .eval("vm_memory_monitor:get_vm_memory_high_watermark().")
            .unwrap(),
        "0.5"
    );
}

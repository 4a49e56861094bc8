//! lapin. Its recovery of connections is experimental, and does nothing in the version of these tests
//! (`RecoveryConfig::auto_recover_connection` switches on that of channels). So the client does what
//! most do: it connects again.

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::publisher_confirm::Confirmation;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use managed_daemons::{with_rabbitmq, Proxy, RabbitMqDaemon};

const QUEUE: &str = "jobs";

/// A connection, and a channel that confirms messages.
async fn open(url: &str) -> lapin::Result<(Connection, Channel)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = QueueDeclareOptions::default();
    channel.queue_declare(QUEUE, options, FieldTable::default()).await?;
    Ok((connection, channel))
}

/// Publishes a message, and waits until the broker confirms it.
async fn publish(channel: &Channel, text: &str) -> lapin::Result<Confirmation> {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let confirmed = channel.basic_publish("", QUEUE, options, text.as_bytes(), properties);
    confirmed.await?.await
}

async fn take(channel: &Channel) -> Option<Vec<u8>> {
    let got = channel
        .basic_get(QUEUE, BasicGetOptions { no_ack: true })
        .await
        .unwrap();
    got.map(|message| message.delivery.data)
}

#[with_rabbitmq]
#[tokio::test]
async fn it_fails_with_its_connection_and_connects_again(rabbitmq: RabbitMqDaemon) {
    let proxy = rabbitmq.proxy().unwrap();
    for end in [Proxy::cut, Proxy::reset] {
        let (connection, channel) = open(&proxy.url()).await.unwrap();
        publish(&channel, "before").await.unwrap();
        end(&proxy);
        publish(&channel, "lost").await.unwrap_err();
        assert!(!connection.status().connected());
        // The broker has what it has confirmed, and nothing else.
        let (_connection, channel) = open(&proxy.url()).await.unwrap();
        assert_eq!(take(&channel).await.unwrap(), b"before");
        assert_eq!(take(&channel).await, None);
    }
}

#[with_rabbitmq]
#[tokio::test]
async fn it_is_refused_until_all_is_clear(rabbitmq: RabbitMqDaemon) {
    let proxy = rabbitmq.proxy().unwrap();
    proxy.refuse();
    assert!(open(&proxy.url()).await.is_err());
    proxy.clear().after(200).reset();
    assert!(open(&proxy.url()).await.is_err());
    proxy.clear();
    let (_connection, channel) = open(&proxy.url()).await.unwrap();
    publish(&channel, "after").await.unwrap();
}

#[with_rabbitmq]
#[tokio::test]
async fn a_message_is_confirmed_when_the_black_hole_has_gone(rabbitmq: RabbitMqDaemon) {
    let proxy = rabbitmq.proxy().unwrap();
    let (_connection, channel) = open(&proxy.url()).await.unwrap();
    proxy.black_hole();
    let publishing = tokio::spawn(async move { publish(&channel, "late").await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!publishing.is_finished());
    proxy.clear();
    publishing.await.unwrap().unwrap();
}

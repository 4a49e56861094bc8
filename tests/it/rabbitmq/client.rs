//! The AMQP client of these tests, lapin.

use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::publisher_confirm::Confirmation;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use managed_daemons::RabbitMqDaemon;

/// A queue that outlives a restart.
pub(super) const QUEUE: &str = "jobs";
const PERSISTENT: u8 = 2;

pub(super) async fn connect(url: &str) -> lapin::Result<Connection> {
    Connection::connect(url, ConnectionProperties::default()).await
}

/// Opens a connection, and a channel that confirms messages.
pub(super) async fn open(rabbit: &RabbitMqDaemon) -> (Connection, Channel) {
    let connection = connect(&rabbit.url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (connection, channel)
}

pub(super) async fn declare(channel: &Channel) {
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(QUEUE, durable, FieldTable::default())
        .await
        .unwrap();
}

/// Publishes a message, and waits until the broker confirms it.
pub(super) async fn publish(channel: &Channel, text: &str) {
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    let options = BasicPublishOptions::default();
    let publishing = channel.basic_publish("", QUEUE, options, text.as_bytes(), properties);
    assert_eq!(publishing.await.unwrap().await.unwrap(), Confirmation::Ack(None));
}

pub(super) async fn get(channel: &Channel) -> Option<BasicGetMessage> {
    channel.basic_get(QUEUE, BasicGetOptions::default()).await.unwrap()
}

/// Gets a message, acknowledges it, and returns its text.
pub(super) async fn take(channel: &Channel) -> String {
    let delivery = get(channel).await.unwrap();
    delivery.ack(BasicAckOptions::default()).await.unwrap();
    text(&delivery.data).to_owned()
}

pub(super) fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap()
}

/// Whether the broker accepts a client with this URL.
pub(crate) fn is_let_in(url: &str) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(connect(url)).is_ok()
}

//! Messages are published, confirmed, consumed and acknowledged, or delivered again.

use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, ExchangeDeclareOptions, QueueBindOptions,
};
use lapin::types::FieldTable;
use lapin::ExchangeKind;
use managed_daemons::{with_rabbitmq, RabbitMqDaemon};

use super::client::{declare, get, open, publish, take, text, QUEUE};

/// Waits for the next delivery: lapin's consumers are streams.
async fn next(consumer: &mut lapin::Consumer) -> lapin::message::Delivery {
    use std::future::poll_fn;
    use std::pin::Pin;
    let delivery = poll_fn(|context| futures_core::Stream::poll_next(Pin::new(consumer), context));
    delivery.await.unwrap().unwrap()
}

#[with_rabbitmq]
#[tokio::test]
async fn a_message_is_confirmed_and_consumed_once(rabbit: RabbitMqDaemon) {
    let (_connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    for number in 0..10 {
        publish(&channel, &number.to_string()).await;
    }
    let consuming = channel.basic_consume(QUEUE, "worker", BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = consuming.await.unwrap();
    for number in 0..10 {
        let delivery = next(&mut consumer).await;
        assert_eq!(text(&delivery.data), number.to_string());
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    drop(consumer);
    let (_connection, channel) = open(&rabbit).await;
    assert!(get(&channel).await.is_none());
}

#[with_rabbitmq]
#[tokio::test]
async fn an_unacknowledged_message_is_redelivered_after_a_lost_connection(rabbit: RabbitMqDaemon) {
    let (connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    publish(&channel, "work").await;
    let first = get(&channel).await.unwrap();
    assert!(!first.redelivered);
    connection.close(200, "without an acknowledgement").await.unwrap();

    let (_connection, channel) = open(&rabbit).await;
    let again = get(&channel).await.unwrap();
    assert_eq!(text(&again.data), "work");
    assert!(again.redelivered);
    let back = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    again.nack(back).await.unwrap();
    assert_eq!(take(&channel).await, "work");
    assert!(get(&channel).await.is_none());
}

#[with_rabbitmq]
#[tokio::test]
async fn confirmed_messages_survive_a_kill(rabbit: RabbitMqDaemon) {
    let (connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    publish(&channel, "acknowledged").await;
    publish(&channel, "in work").await;
    publish(&channel, "waiting").await;
    assert_eq!(take(&channel).await, "acknowledged");
    let in_work = get(&channel).await.unwrap();
    assert_eq!(text(&in_work.data), "in work");
    // An acknowledgement has no answer, but the next message on the channel has.
    publish(&channel, "last").await;

    // Mnesia may keep the queue's declaration in memory for up to two seconds.
    rabbit.eval("disk_log:sync(latest_log).").unwrap();
    rabbit.kill().unwrap();
    drop((connection, channel));
    rabbit.start_if_not_running().unwrap();

    let (_connection, channel) = open(&rabbit).await;
    for expected in ["in work", "waiting", "last"] {
        assert_eq!(take(&channel).await, expected);
    }
    assert!(get(&channel).await.is_none());
}

#[with_rabbitmq]
#[tokio::test]
async fn a_topic_exchange_routes_by_key(rabbit: RabbitMqDaemon) {
    let (_connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    let (exchange, none) = (ExchangeDeclareOptions::default(), FieldTable::default);
    channel
        .exchange_declare("events", ExchangeKind::Topic, exchange, none())
        .await
        .unwrap();
    let binding = channel.queue_bind(QUEUE, "events", "order.*", QueueBindOptions::default(), none());
    binding.await.unwrap();
    for key in ["order.paid", "user.born"] {
        let publishing = channel.basic_publish("events", key, Default::default(), key.as_bytes(), Default::default());
        publishing.await.unwrap().await.unwrap();
    }
    assert_eq!(text(&get(&channel).await.unwrap().data), "order.paid");
    assert!(get(&channel).await.is_none());
}

#[with_rabbitmq]
#[tokio::test]
async fn the_end_of_a_connection_is_no_surprise_to_our_handlers(rabbit: RabbitMqDaemon) {
    let (connection, _channel) = open(&rabbit).await;
    connection.close(200, "bye").await.unwrap();
    rabbit.stop().unwrap(); // which writes all of the log
    let log = rabbit.log().unwrap();
    assert!(
        log.contains("closing AMQP connection") && !log.contains("Unhandled message"),
        "{log}"
    );
}

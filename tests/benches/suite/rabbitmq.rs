//! The suite of RabbitMQ.

use crate::runner::Runner;
use crate::suite::{without_server, Contestant, Promise, Suite, Way};

/// A queue and a message for each test.
pub(crate) const SUITE: Suite = Suite {
    name: "rabbitmq",
    title: "40 RabbitMQ tests",
    tests: 40,
    all: &[
        Contestant {
            way: Way::Each,
            binary: "rabbitmq_each",
            server: None,
            head: r#"
use managed_daemons::{with_rabbitmq, RabbitMqDaemon};
use suites::{send_message, Outcome};
"#,
            test: r#"
#[with_rabbitmq]
#[tokio::test]
async fn test_NUMBER(rabbit: RabbitMqDaemon) -> Outcome {
    send_message(&rabbit.url()).await
}
"#,
        },
        Contestant {
            way: Way::Shared,
            binary: "rabbitmq_shared",
            server: None,
            head: r#"
use managed_daemons::{with_rabbitmq_virtual_host, RabbitMqVirtualHost};
use suites::{send_message, Outcome};
"#,
            test: r#"
#[with_rabbitmq_virtual_host]
#[tokio::test]
async fn test_NUMBER(rabbit: RabbitMqVirtualHost) -> Outcome {
    send_message(&rabbit.url()).await
}
"#,
        },
        without_server!("rabbitmq_without"),
    ],
    // In one process a `static` does the same.
    promises: &[Promise {
        compared_with: Way::Each,
        at_most: 0.15,
        runners: &[Runner::Nextest],
    }],
};

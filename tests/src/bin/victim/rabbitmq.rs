//! RabbitMQ.

use std::net::TcpListener;

use managed_daemons::{RabbitMqDaemon, Result};

/// Starts and drops a broker.
pub(crate) fn once() -> Result<()> {
    RabbitMqDaemon::start().map(drop)
}

/// Starts and restarts brokers, over and over.
pub(crate) fn churn() -> Result<()> {
    loop {
        RabbitMqDaemon::start()?.restart()?;
    }
}

/// Takes a broker's port away before it starts.
pub(crate) fn lose_port() -> Result<()> {
    let configured = RabbitMqDaemon::builder().configure()?;
    let lost = configured.port();
    let _thief = TcpListener::bind(("127.0.0.1", lost)).unwrap();
    let broker = configured.start()?;
    assert_ne!(broker.port(), lost);
    Ok(())
}

//! A broker's life, from start to drop, and failed starts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use managed_daemons::RabbitMqDaemon;

use super::client::{connect, declare, get, is_let_in, open, publish, take};
use crate::support::{is_plain_run, private_root, FAR, PATIENCE};

#[tokio::test]
async fn a_stop_keeps_messages_port_and_node_name() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    let (url, node) = (rabbit.url(), rabbit.node_name());
    let (connection, channel) = open(&rabbit).await;
    declare(&channel).await;
    publish(&channel, "still there").await;
    drop((connection, channel));
    rabbit.stop().unwrap();
    assert!(!rabbit.is_running());
    assert!(connect(&url).await.is_err());
    assert!(rabbit.start_if_not_running().unwrap());
    assert!(!rabbit.start_if_not_running().unwrap());
    assert_eq!((rabbit.url(), rabbit.node_name()), (url, node));
    let (_connection, channel) = open(&rabbit).await;
    assert_eq!(take(&channel).await, "still there");
    assert!(get(&channel).await.is_none());
}

#[test]
fn a_stop_is_a_clean_shutdown() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    rabbit.restart().unwrap();
    rabbit.stop().unwrap();
    let log = rabbit.log().unwrap();
    assert_eq!(log.matches("Server startup complete").count(), 2, "{log}");
    assert_eq!(log.matches("stopped TCP listener").count(), 2, "{log}");
}

#[test]
fn a_broker_whose_account_a_test_has_changed_restarts() {
    let rabbit = RabbitMqDaemon::builder().extra_virtual_host("kept").start().unwrap();
    let url = rabbit.virtual_host_url("kept");
    let changed = url.replace(rabbit.password(), "changed");
    let user = r#"{"name": "guest", "password": "changed", "tags": "administrator"}"#;
    rabbit.import_definitions(&format!(r#"{{"users": [{user}]}}"#)).unwrap();
    rabbit.restart().unwrap();
    assert!(!is_let_in(&url));
    assert!(is_let_in(&changed));

    rabbit.eval("rabbit_vhost:delete(<<\"/\">>, <<\"test\">>).").unwrap();
    rabbit.restart().unwrap();
    assert!(!is_let_in(&changed.replace("/kept", "/%2F")));
    assert!(is_let_in(&changed));

    rabbit
        .eval("rabbit_auth_backend_internal:delete_user(<<\"guest\">>, <<\"test\">>).")
        .unwrap();
    rabbit.restart().unwrap();
    assert!(!is_let_in(&changed));
}

#[test]
fn a_paused_broker_answers_once_it_is_resumed() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    rabbit.pause().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", rabbit.port())).unwrap();
    stream.write_all(b"AMQP\x00\x00\x09\x01").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0]).is_err());
    rabbit.resume().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    assert!(is_let_in(&rabbit.url()));
}

#[test]
fn a_users_directory_can_be_started_again_and_loaded() {
    let root = private_root();
    let dir = root.path().join("a broker of ours, with spaces and ü");
    let start = || RabbitMqDaemon::builder().working_dir(&dir).start().unwrap();
    let before = RabbitMqDaemon::builder()
        .working_dir(&dir)
        .virtual_host("orders")
        .extra_user("reader", "s3cret")
        .permission("reader", "orders", "", "", ".*")
        .start()
        .unwrap();
    let (url, node) = (before.url(), before.node_name());
    before.import_definitions(&queue("orders", "kept")).unwrap();
    drop(before);

    let again = start();
    assert_eq!((again.url(), again.node_name()), (url.clone(), node));
    assert!(again.export_definitions().unwrap().contains("\"kept\""));
    assert!(is_let_in(
        &url.replace(&format!("guest:{}", again.password()), "reader:s3cret")
    ));
    again.detach().unwrap();

    let loaded = RabbitMqDaemon::load(&dir).unwrap();
    assert!(loaded.is_running());
    assert_eq!(loaded.url(), url);
    assert!(is_let_in(&url));
    loaded.restart().unwrap();
    assert!(loaded.export_definitions().unwrap().contains("\"kept\""));
    loaded.destroy().unwrap();
    assert!(!dir.exists());
}

fn queue(virtual_host: &str, name: &str) -> String {
    format!(
        r#"{{"queues": [{{"vhost": "{virtual_host}", "name": "{name}", "durable": true, "auto_delete": false, "arguments": {{}}}}]}}"#
    )
}

#[test]
fn a_plain_and_a_fast_start_can_use_the_same_directory() {
    if is_plain_run() {
        return; // both would be plain
    }
    let root = private_root();
    let builder = || RabbitMqDaemon::builder().working_dir(root.path().join("broker"));
    let plain = builder().plain().virtual_host("orders").start().unwrap();
    let installed = plain.eval("code:which(rabbit).").unwrap();
    assert_eq!(plain.eval("rabbit_epmd_monitor:start_link().").unwrap(), "ignore");
    assert!(plain
        .rabbitmqctl()
        .unwrap()
        .arg("status")
        .output()
        .unwrap()
        .status
        .success());
    plain.import_definitions(&queue("orders", "kept")).unwrap();
    plain.restart().unwrap();
    drop(plain);

    let fast = builder().start().unwrap();
    assert_ne!(fast.eval("code:which(rabbit).").unwrap(), installed);
    assert_eq!(fast.eval("rabbit_epmd_monitor:start_link().").unwrap(), "ignore");
    assert!(fast.export_definitions().unwrap().contains("\"kept\""));
    assert!(is_let_in(&fast.url()));
}

#[test]
fn a_bad_setting_is_reported_in_the_brokers_words() {
    let begin = std::time::Instant::now();
    let failed = RabbitMqDaemon::builder()
        .setting("channel_max", "many")
        .start_timeout(FAR)
        .start();
    let report = failed.unwrap_err().report();
    assert!(report.contains("channel_max"), "{report}");
    assert!(report.contains("| "), "{report}");
    assert!(begin.elapsed() < FAR, "{:?}", begin.elapsed());
}

#[test]
fn an_unknown_plugin_is_named() {
    let failed = RabbitMqDaemon::builder().plugin("rabbitmq_teapot").start();
    let report = failed.unwrap_err().report();
    assert!(report.contains("`rabbitmq_teapot` is not in"), "{report}");
    assert!(report.contains("rabbitmq_shovel"), "{report}");
}

#[test]
fn a_directory_name_that_a_shell_would_misread_is_refused() {
    let root = private_root();
    let failed = RabbitMqDaemon::builder().working_dir(root.path().join("it's")).start();
    let report = failed.unwrap_err().report();
    assert!(report.contains("has a quote (')"), "{report}");
}

#[test]
fn refused_definitions_fail_the_start_and_leave_nothing() {
    let root = private_root();
    let builder = RabbitMqDaemon::builder().temp_root(root.path());
    let queue = r#"{"queues": [{"vhost": "nowhere", "name": "q", "durable": true, "auto_delete": false}]}"#;
    let report = crate::support::start_failure(builder.definitions(queue).start());
    assert!(report.contains("import the queue `q` in `nowhere`"), "{report}");
    crate::support::assert_nothing_left(root.path());
}

#[test]
fn a_broker_that_loses_a_port_starts_on_another() {
    for name in ["main", "distribution"] {
        let configured = RabbitMqDaemon::builder().start_timeout(FAR).configure().unwrap();
        let lost = configured.port_named(name).unwrap();
        // The framework holds the port with a socket that does not listen. A thief that sets
        // SO_REUSEADDR can listen on it all the same.
        let _thief = listen_on(lost);
        let rabbit = configured.start().unwrap();
        assert_ne!(rabbit.port_named(name).unwrap(), lost);
        assert_eq!(rabbit.eval("node().").unwrap(), format!("'{}'", rabbit.node_name()));
        assert!(is_let_in(&rabbit.url()));
        rabbit.restart().unwrap();
        assert!(is_let_in(&rabbit.url()));
    }
}

/// Binds with SO_REUSEADDR, as the standard library does.
fn listen_on(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).unwrap()
}

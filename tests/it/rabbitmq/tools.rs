//! RabbitMQ's command-line tools, with a broker that no epmd knows.

use managed_daemons::{ManagedDaemonError, RabbitMqDaemon};

#[test]
fn command_line_tools_find_the_broker() {
    let rabbit = RabbitMqDaemon::builder().virtual_host("two words").start().unwrap();
    let output = rabbit
        .rabbitmqctl()
        .unwrap()
        .args(["list_vhosts", "-q"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("two words"), "{output:?}");

    let mut ping = rabbit.cli_tool("rabbitmq-diagnostics").unwrap();
    let output = ping.arg("ping").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains(&rabbit.node_name()),
        "{output:?}"
    );

    rabbit.stop().unwrap();
    assert!(!ping.output().unwrap().status.success());
    for name in ["rabbitmq-nothing", "../sbin/rabbitmqctl"] {
        let missing = rabbit.cli_tool(name).unwrap_err();
        assert!(
            matches!(missing, ManagedDaemonError::BinaryNotFound { .. }),
            "{missing:?}"
        );
    }
}

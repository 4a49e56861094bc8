//! Where a broker listens: on loopback alone, whatever its plugins are.

use std::collections::BTreeSet;
use std::fs;

use managed_daemons::RabbitMqDaemon;
use managed_daemons_tests::processes_of;

use crate::support::FAR;

/// The plugins that listen.
pub(super) const LISTENING: [&str; 9] = [
    "rabbitmq_management",
    "rabbitmq_mqtt",
    "rabbitmq_prometheus",
    "rabbitmq_stomp",
    "rabbitmq_stream",
    "rabbitmq_web_mqtt",
    "rabbitmq_web_mqtt_examples",
    "rabbitmq_web_stomp",
    "rabbitmq_web_stomp_examples",
];

/// The ports on which the processes of a broker listen. Fails if one does so on another address
/// than 127.0.0.1.
#[track_caller]
pub(super) fn loopback_ports(rabbit: &RabbitMqDaemon) -> BTreeSet<u16> {
    let processes = processes_of(rabbit.working_dir()).into_iter();
    let files = processes.flat_map(|(pid, _)| fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten());
    let sockets: BTreeSet<String> = files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let mut ports = BTreeSet::new();
    for line in tables.iter().flat_map(|table| table.lines()) {
        // See proc(5): the local address, the state, which is 0A for LISTEN, and the inode.
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields[3] == "0A" && sockets.contains(&format!("socket:[{}]", fields[9])) {
            let port = fields[1].strip_prefix("0100007F:");
            let port = port.unwrap_or_else(|| panic!("it listens on {}", fields[1]));
            ports.insert(u16::from_str_radix(port, 16).unwrap());
        }
    }
    ports
}

#[test]
fn each_plugin_has_a_port_of_its_own_on_loopback() {
    // Some are only needed by these.
    let start = || {
        // So many plugins take long to prepare on a busy machine.
        let builder = RabbitMqDaemon::builder()
            .start_timeout(FAR)
            .plugin("rabbitmq_prometheus")
            .plugin("rabbitmq_stream")
            .plugin("rabbitmq_tracing")
            .plugin("rabbitmq_web_mqtt_examples")
            .plugin("rabbitmq_web_stomp_examples");
        builder.start().unwrap_or_else(|error| panic!("{}", error.report()))
    };
    let [one, two] = std::thread::scope(|scope| {
        [(); 2]
            .map(|()| scope.spawn(start))
            .map(|started| started.join().unwrap())
    });
    let [ports_of_one, ports_of_two] = [&one, &two].map(|rabbit| {
        let active = rabbit.eval("rabbit_plugins:active().").unwrap();
        let mut named = vec![rabbit.port(), rabbit.port_named("distribution").unwrap()];
        for plugin in LISTENING {
            assert!(active.contains(plugin), "{plugin}: {active}");
            let name = plugin.trim_start_matches("rabbitmq_").replace('_', "-");
            named.push(rabbit.port_named(&name).unwrap_or_else(|| panic!("{name}")));
        }
        let ports = loopback_ports(rabbit);
        assert_eq!(ports, BTreeSet::from_iter(named));
        ports
    });
    assert!(ports_of_one.is_disjoint(&ports_of_two));
}

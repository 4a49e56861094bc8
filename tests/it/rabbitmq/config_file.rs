//! The `rabbitmq.conf` and `enabled_plugins` that are deployed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use managed_daemons::{Phase, RabbitMqBuilder, RabbitMqDaemon};
use tempfile::TempDir;

use crate::support::{deploy, failure_in, private_root, FAR};

const CONFIG_FILE: &str = "rabbitmq.conf";

/// A broker with other plugins than before takes long to prepare on a busy machine.
fn builder() -> RabbitMqBuilder {
    RabbitMqDaemon::builder().start_timeout(FAR)
}

/// A file in the style of a deployment to a cluster with a management plugin.
const DEPLOYED: &str = "\
## the broker of the shop
listeners.tcp.default = 5672
listeners.ssl.default = 5671
ssl_options.cacertfile = /etc/rabbitmq/tls/ca.pem
ssl_options.certfile   = /etc/rabbitmq/tls/server.pem
management.tcp.port = 15672
management.tcp.ip = 0.0.0.0
management.path_prefix = /shop
prometheus.return_per_object_metrics = true
auth_ldap.servers.1 = ldap.internal
default_user = clerk
default_pass = s3cret
default_vhost = shop
cluster_formation.peer_discovery_backend = k8s
cluster_formation.k8s.host = kubernetes.default
log.file = /var/log/rabbitmq/rabbit.log
log.file.level = debug
log.console = true
proxy_protocol = true
heartbeat = 17 # seconds
channel_max = 19
vm_memory_high_watermark.relative = 0.5
";

/// What of an error names a line of the file.
fn line_of(dir: &TempDir, number: usize) -> String {
    format!("`{}`, line {number}: ", dir.path().join(CONFIG_FILE).display())
}

fn variable(daemon: &RabbitMqDaemon, name: &str) -> String {
    let expression = format!("element(2, application:get_env(rabbit, {name})).");
    daemon
        .eval(&expression)
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

#[test]
fn deployed_files_are_used_but_for_what_is_ours() {
    let (dir, path) = deploy(
        CONFIG_FILE,
        &[
            ("rabbitmq.conf", DEPLOYED),
            ("conf.d/10-x.conf", "channel_max = 23\ntcp_listen_options.backlog = 129"),
            ("conf.d/20-x.conf", "channel_max = 29"),
            ("conf.d/README", "nonsense"),
            (
                "enabled_plugins",
                "%% plugins\n[rabbitmq_management,\n 'rabbitmq_prometheus'].\n",
            ),
        ],
    );
    let root = private_root();
    let at = root.path().join("mine");
    let daemon = builder()
        .config_file(&path)
        .config_file(dir.path().join("conf.d"))
        .enabled_plugins(dir.path().join("enabled_plugins"))
        .setting("heartbeat", "18")
        .working_dir(&at)
        .start()
        .unwrap();
    assert_eq!(
        daemon.url(),
        format!("amqp://clerk:s3cret@127.0.0.1:{}/shop", daemon.port())
    );
    assert_eq!(variable(&daemon, "heartbeat"), "18");
    assert_eq!(variable(&daemon, "channel_max"), "29");
    assert!(variable(&daemon, "tcp_listen_options").contains("{backlog,129}"));
    let prefix = daemon
        .eval("application:get_env(rabbitmq_management, path_prefix).")
        .unwrap();
    assert_eq!(prefix, "{ok,\"/shop\"}");
    for name in ["management", "prometheus"] {
        let port = daemon.port_named(name).unwrap();
        assert!(std::net::TcpStream::connect((daemon.host(), port)).is_ok(), "{name}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), DEPLOYED);
    fs::write(&path, DEPLOYED.replace("s3cret", "other").replace("0.5", "0.6")).unwrap();
    daemon.stop().unwrap();
    drop(daemon);
    let daemon = RabbitMqDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(daemon.password(), "s3cret"); // that of the data
    assert_eq!(variable(&daemon, "vm_memory_high_watermark"), "0.6");
    assert_eq!(variable(&daemon, "channel_max"), "29");
}

#[test]
fn no_file_is_written_outside_of_the_working_directory() {
    let root = private_root();
    let outside = root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o777)).unwrap();
    let place = outside.display();
    let mut text = String::from("log.console.level = debug\n");
    for key in [
        "http_dispatch.access_log_dir",
        "log.connection.file",
        "log.dir",
        "log.file",
        "log.queue.file",
        "management.http_log_dir",
        "raft.data_dir",
        "stream.data_dir",
        "tracing.dir",
    ] {
        text += &format!("{key} = {place}/{key}\n");
    }
    let advanced = format!(
        "[{{ra, [{{data_dir, \"{place}/ra\"}}, {{wal_data_dir, \"{place}/wal\"}}]}}, \
         {{osiris, [{{data_dir, \"{place}/osiris\"}}]}}, {{rabbitmq_tracing, [{{directory, \"{place}/tracing\"}}]}}, \
         {{rabbitmq_management, [{{http_log_dir, \"{place}/http\"}}]}}, {{rabbit, [{{log, [{{file, [{{file, \"{place}/log\"}}]}}]}}]}}]."
    );
    let files = [("rabbitmq.conf", &*text), ("advanced.config", &*advanced)];
    let (dir, path) = deploy(CONFIG_FILE, &files);
    let daemon = builder()
        .config_file(path)
        .advanced_config(dir.path().join("advanced.config"))
        .management()
        .plugin("rabbitmq_tracing")
        .start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    let url = daemon.management_url().unwrap();
    assert_eq!(ureq::get(&url).call().unwrap().status(), 200);
    let declare = "rabbit_amqqueue:declare({resource, <<\"/\">>, queue, <<\"q\">>}, true, false, \
                   [{<<\"x-queue-type\">>, longstr, <<\"quorum\">>}], none, <<\"test\">>), ok.";
    assert_eq!(daemon.eval(declare).unwrap(), "ok");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let tracing = daemon.eval("application:get_env(rabbitmq_tracing, directory).");
    assert_eq!(tracing.unwrap(), "{ok,\"tracing\"}");
}

#[test]
fn keys_of_plugins_that_are_not_enabled_have_no_effect_and_options_win() {
    let (_dir, path) = deploy(CONFIG_FILE, &[("rabbitmq.conf", DEPLOYED)]);
    let daemon = builder()
        .config_file(&path)
        .username("admin")
        .password("p")
        .virtual_host("/")
        .start()
        .unwrap();
    assert_eq!(daemon.url(), format!("amqp://admin:p@127.0.0.1:{}/%2F", daemon.port()));
    assert_eq!(variable(&daemon, "channel_max"), "19");
}

#[test]
fn definitions_that_the_file_names_are_imported() {
    let queue = r#"{"vhost": "/", "name": "jobs", "durable": true, "auto_delete": false, "arguments": {}}"#;
    let user = r#"{"name": "clerk", "password": "known", "tags": ""}"#;
    let definitions = format!(r#"{{"users": [{user}], "vhosts": [{{"name": "/"}}], "queues": [{queue}]}}"#);
    let text = "load_definitions = /etc/rabbitmq/definitions.json\ndefault_user = clerk\ndefault_pass = unused";
    let (dir, path) = deploy(
        CONFIG_FILE,
        &[("rabbitmq.conf", text), ("definitions.json", &definitions)],
    );
    let daemon = builder().config_file(&path).start().unwrap();
    assert!(daemon.eval("rabbit_amqqueue:list_names().").unwrap().contains("jobs"));
    assert_eq!(daemon.username(), "guest");
    fs::remove_file(dir.path().join("definitions.json")).unwrap();
    let report = failure_in(Phase::Configure, builder().config_file(&path));
    assert!(report.contains(&line_of(&dir, 1)), "{report}");
    assert!(
        report.contains("`/etc/rabbitmq/definitions.json` is not there, nor `definitions.json`"),
        "{report}"
    );
}

#[test]
fn what_can_not_be_used_is_named_with_its_line() {
    let (dir, path) = deploy(CONFIG_FILE, &[("rabbitmq.conf", "# x\nheartbeat 17")]);
    let report = failure_in(Phase::Configure, builder().config_file(&path));
    assert!(
        report.contains(&format!("{}`heartbeat 17` is not a setting", line_of(&dir, 2))),
        "{report}"
    );
    for (text, line, words) in [
        ("channel_max = 7\n\nno_such.key = 1", 3, "no_such.key"),
        ("# x\nheartbeat = often", 2, "heartbeat"),
    ] {
        let (dir, path) = deploy(CONFIG_FILE, &[("rabbitmq.conf", text)]);
        let report = failure_in(Phase::Readiness, builder().config_file(&path));
        let named = report.lines().find(|found| found.contains(&line_of(&dir, line)));
        assert!(named.is_some_and(|found| found.contains(words)), "{text}: {report}");
    }
    let plugins = dir.path().join("enabled_plugins");
    let with_plugins = || builder().enabled_plugins(&plugins);
    assert!(failure_in(Phase::Configure, with_plugins()).contains("could not read the plugins"));
    fs::write(&plugins, "[rabbitmq_stomp,\n rabbitmq_gone].").unwrap();
    let report = failure_in(Phase::Configure, with_plugins());
    let expected = format!("`{}`, line 2: the plugin `rabbitmq_gone`", plugins.display());
    assert!(report.contains(&expected), "{report}");
    fs::write(&plugins, "rabbitmq_stomp").unwrap();
    let report = failure_in(Phase::Configure, with_plugins());
    assert!(report.contains("is not a list of plugins"), "{report}");
}

#[test]
fn an_advanced_configuration_is_used_but_for_what_is_ours() {
    let (dir, path) = deploy(
        CONFIG_FILE,
        &[
            ("rabbitmq.conf", "heartbeat = 17\nchannel_max = 19"),
            (
                "advanced.config",
                "%% terms\n[\n {rabbit, [{heartbeat, 23}, {tcp_listeners, [5672]}, {default_user, <<\"x\">>}]},\n \
             {kernel, [{inet_dist_listen_min, 25672}]}, {no_such_app, [{a, \"\u{fc}\"}]}\n].\n",
            ),
        ],
    );
    let advanced = dir.path().join("advanced.config");
    let daemon = builder().config_file(path).advanced_config(&advanced).start().unwrap();
    assert_eq!(variable(&daemon, "heartbeat"), "23");
    assert_eq!(variable(&daemon, "channel_max"), "19");
    assert!(daemon.url().starts_with("amqp://guest:"));
    fs::write(&advanced, "[{rabbit,\n  [{heartbeat 23}]}].").unwrap();
    let report = failure_in(Phase::Readiness, builder().advanced_config(&advanced));
    let expected = format!("`{}`, line 2: syntax error", advanced.display());
    assert!(report.contains(&expected), "{report}");
    let report = failure_in(Phase::Configure, builder().advanced_config(dir.path().join("gone")));
    assert!(report.contains("could not read the configuration"), "{report}");
}

#[test]
fn accounts_may_be_elsewhere() {
    let text = "auth_backends.1 = http\nauth_http.user_path = http://127.0.0.1:9/user\n";
    let (dir, path) = deploy(CONFIG_FILE, &[(CONFIG_FILE, text)]);
    let report = failure_in(Phase::Configure, builder().config_file(&path));
    let expected =
        line_of(&dir, 1) + "`auth_backends.1 = http` needs a plugin: add `plugin(\"rabbitmq_auth_backend_http\")`";
    assert!(report.contains(&expected), "{report}");
    let rabbit = builder()
        .config_file(&path)
        .plugin("rabbitmq_auth_backend_http")
        .start();
    let rabbit = rabbit.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(variable(&rabbit, "auth_backends"), "[rabbit_auth_backend_http]");
}

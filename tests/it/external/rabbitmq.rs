//! RabbitMQ, through its management API.

use std::fs;

use managed_daemons::{NginxDaemon, RabbitMqDaemon};
use serde_json::{json, Value};

use super::{begin_at_once, count_said, failure, url, Machine, SHORT};
use crate::rabbitmq::is_let_in;
use crate::support::{eventually, eventually_empty, Sharer, FAR};

const VARIABLE: &str = "MANAGED_DAEMONS_RABBITMQ_URL";

fn start() -> (RabbitMqDaemon, String) {
    let broker = RabbitMqDaemon::builder().management().start_timeout(FAR);
    let broker = broker.start().unwrap();
    let account = format!("{}:{}", broker.username(), broker.password());
    let url = broker
        .management_url()
        .unwrap()
        .replace("://", &format!("://{account}@"));
    (broker, url)
}

/// The virtual hosts, users and leases that runs have left.
fn remains(broker: &RabbitMqDaemon) -> Vec<String> {
    let names = "iolist_to_binary(rabbit_json:encode(lists:usort(rabbit_vhost:list_names()
        ++ [proplists:get_value(user, User) || User <- rabbit_auth_backend_internal:list_users()]
        ++ [atom_to_binary(proplists:get_value(name, Parameter), utf8)
            || Parameter <- rabbit_runtime_parameters:list_global()]))).";
    let names: Vec<String> = serde_json::from_str(&broker.eval(names).unwrap()).unwrap();
    names.into_iter().filter(|name| name.starts_with("md_")).collect()
}

/// The exchanges, queues and so on of the virtual host in a URL.
fn contents(broker: &RabbitMqDaemon, url: &str) -> Vec<String> {
    let host = url.rsplit('/').next().unwrap();
    let all: Value = serde_json::from_str(&broker.export_definitions().unwrap()).unwrap();
    let mut names: Vec<String> = ["exchanges", "queues", "policies", "bindings"]
        .iter()
        .flat_map(|list| all[list].as_array().cloned().unwrap_or_default())
        .filter(|object| object["vhost"] == host && object["name"] != "amq.rabbitmq.log")
        .map(|object| {
            object["name"]
                .as_str()
                .or(object["source"].as_str())
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

/// The same account in another virtual host.
fn in_host_of(url: &str, other: &str) -> String {
    let (account, _) = url.rsplit_once('/').unwrap();
    format!("{account}/{}", other.rsplit('/').next().unwrap())
}

#[test]
fn tests_of_two_machines_share_a_broker_and_no_virtual_host() {
    let (broker, api) = start();
    let variables = [(VARIABLE, &*api)];
    let (mut one, mut other) = (Machine::new(&variables), Machine::new(&variables));
    let mut tests = [
        one.start("rabbitmq-orders"),
        one.start("rabbitmq-prepared"),
        other.start("rabbitmq-prepared"),
        other.start("rabbitmq"),
    ];
    let urls = tests.each_mut().map(url);
    for (at, own) in urls.iter().enumerate() {
        assert!(own.contains(&format!("@127.0.0.1:{}/md_", broker.port())), "{own}");
        assert!(is_let_in(own));
        assert!(!is_let_in(&in_host_of(own, &urls[(at + 1) % urls.len()])));
    }
    assert_eq!(contents(&broker, &urls[0]), ["orders"]);
    // The exchange `orders` is internal, and so not in what the broker exports.
    let prepared = ["entry", "entry", "jobs", "orders", "short"];
    assert_eq!(contents(&broker, &urls[1]), prepared);
    assert_eq!(contents(&broker, &urls[2]), prepared);
    assert_eq!(contents(&broker, &urls[3]), [""; 0]);
    let internal = format!(
        "{{ok, X}} = rabbit_exchange:lookup(rabbit_misc:r(<<\"{}\">>, exchange, <<\"orders\">>)),
        rabbit_exchange:info(X, [type, internal]).",
        urls[2].rsplit('/').next().unwrap()
    );
    assert_eq!(broker.eval(&internal).unwrap(), "[{type,fanout},{internal,true}]");

    let [first, mut second, third, fourth] = tests;
    first.kill();
    eventually_empty("removed", || {
        let name = urls[0].rsplit('/').next().unwrap();
        remains(&broker)
            .into_iter()
            .filter(|left| left == name)
            .collect::<Vec<_>>()
    });
    assert!(!is_let_in(&urls[0]));
    second.go_on();
    assert_eq!(second.line(), "closed");
    assert!(!is_let_in(&urls[1]));
    second.end();
    one.end();
    assert!(is_let_in(&urls[2]) && is_let_in(&urls[3]));
    third.end();
    fourth.end();
    other.end();
    assert_eq!(remains(&broker), [""; 0]);
}

#[test]
fn machines_that_begin_at_once_leave_each_other_alone() {
    let (broker, api) = start();
    begin_at_once((VARIABLE, &api), "rabbitmq-orders", |url| {
        assert_eq!(contents(&broker, url), ["orders"]);
    });
    assert_eq!(remains(&broker), [""; 0]);
}

#[test]
fn what_a_dead_machine_has_left_goes_with_the_next_run_of_its_project_after_its_lease() {
    let (broker, api) = start();
    let machine = |project: &str| {
        let project = ("MANAGED_DAEMONS_PROJECT", project);
        Machine::new(&[(VARIABLE, &api), project, ("MANAGED_DAEMONS_LEASE_SECONDS", SHORT)])
    };
    let mut dead = machine("shop");
    let mut tests = vec![dead.start("rabbitmq-orders"), dead.start("rabbitmq")];
    tests.iter_mut().for_each(|test| drop(url(test)));
    dead.die(tests);
    let left = remains(&broker);
    assert!(left.len() >= 3, "{left:?}");
    eventually("run out", || {
        let all: Value = serde_json::from_str(&broker.export_definitions().unwrap()).unwrap();
        let parameters = all["global_parameters"].as_array().unwrap();
        let lease = parameters.iter().find(|parameter| parameter["value"]["until"].is_u64());
        // The clock of its HTTP server is up to a second behind.
        let now = broker.eval("integer_to_binary(os:system_time(second) - 1).").unwrap();
        let held = lease.is_none_or(|lease| lease["value"]["until"].as_u64() > now.parse().ok());
        if held {
            Err(parameters.clone())
        } else {
            Ok(())
        }
    });

    let mut other = machine("another");
    let mut test = other.start("rabbitmq");
    url(&mut test);
    test.end();
    other.end();
    assert_eq!(remains(&broker), left);

    let mut same = machine("shop");
    let mut test = same.start("rabbitmq");
    url(&mut test);
    test.end();
    same.end();
    assert_eq!(remains(&broker), [""; 0]);
}

#[test]
fn a_bad_url_is_one_clear_error_without_the_password() {
    let (broker, api) = start();
    broker
        .eval(
            "rabbit_auth_backend_internal:add_user(<<\"app\">>, <<\"s3cret\">>, <<\"test\">>), \
               rabbit_auth_backend_internal:set_tags(<<\"app\">>, [management], <<\"test\">>).",
        )
        .unwrap();
    let (password, port) = (broker.password(), broker.port());
    let place = broker.management_url().unwrap().replace("http://", "");
    for (url, problem) in [
        (broker.url(), "scheme `amqp`"),
        (
            format!("http://guest:{password}@127.0.0.1:1/"),
            "check the host and the port",
        ),
        (
            format!("http://guest:{password}@127.0.0.1:{port}/"),
            "check the host and the port",
        ),
        (api.replace(password, "wrong"), "check the user and the password"),
        (format!("http://app:s3cret@{place}"), "tag `administrator`"),
        (
            format!("http://guest:{password}@{place}nothing"),
            "URL of the management plugin",
        ),
        (api.replace("http:", "https:"), "could not log in"),
    ] {
        let mut machine = Machine::new(&[(VARIABLE, &url)]);
        let failed = failure(&mut machine, "rabbitmq");
        assert!(failed.contains(problem) && failed.contains(VARIABLE), "{url}: {failed}");
        assert!(!failed.contains(password) && !failed.contains("s3cret"), "{failed}");
        machine.end();
    }
    assert_eq!(remains(&broker), [""; 0]);
}

/// The value of an expression about the virtual host `Host` in a URL.
fn value(broker: &RabbitMqDaemon, url: &str, expression: &str) -> String {
    let host = url.rsplit('/').next().unwrap();
    broker.eval(&format!("Host = <<\"{host}\">>, {expression}.")).unwrap()
}

fn queue(host: &str, name: &str, arguments: Value) -> Value {
    json!({ "vhost": host, "name": name, "durable": true, "auto_delete": false, "arguments": arguments })
}

#[test]
fn definitions_are_of_a_virtual_host_and_may_be_long() {
    let (broker, api) = start();
    // More than fits into a message between our processes.
    let note = "x".repeat(5_000_000);
    let definitions = json!({
        "users": [{ "name": "app", "tags": "" }],
        "vhosts": [{ "name": "/", "metadata": { "default_queue_type": "quorum" } }, { "name": "other" }],
        "permissions": [{ "user": "app", "vhost": "/", "configure": "", "write": "", "read": "" }],
        "global_parameters": [{ "name": "colour", "value": "blue" }],
        "exchanges": [{ "vhost": "/", "name": "long", "type": "topic", "durable": true, "auto_delete": false,
            "internal": false, "arguments": { "note": note } }],
        "queues": [queue("/", "jobs", json!({ "x-queue-type": "quorum" })), queue("other", "more", json!({}))],
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("definitions.json");
    fs::write(&file, definitions.to_string()).unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &api)]);
    let action = format!("rabbitmq-definitions {}", file.display());
    let mut tests = [machine.start(&action), machine.start(&action), machine.start(&action)];
    for test in &mut tests {
        let url = url(test);
        assert_eq!(contents(&broker, &url), ["jobs", "long"]);
        let type_of_host = "proplists:get_value(default_queue_type, rabbit_vhost:info(Host))";
        assert_eq!(value(&broker, &url, type_of_host), "quorum");
        let type_of_queue = "{ok, Queue} = rabbit_amqqueue:lookup(rabbit_misc:r(Host, queue, <<\"jobs\">>)),
            amqqueue:get_type(Queue)";
        assert_eq!(value(&broker, &url, type_of_queue), "rabbit_quorum_queue");
        let length = "{ok, X} = rabbit_exchange:lookup(rabbit_misc:r(Host, exchange, <<\"long\">>)),
            [{arguments, [{_, _, Note}]}] = rabbit_exchange:info(X, [arguments]), byte_size(Note)";
        assert_eq!(value(&broker, &url, length), note.len().to_string());
    }
    let said: String = tests.iter().map(Sharer::errors).collect();
    assert_eq!(count_said(&tests, "managed-daemons: "), 1, "{said}");
    let left_out = "the virtual host `/`; left out are: global parameters, permissions, the virtual host `other`, \
                    users";
    assert_eq!(count_said(&tests, left_out), 1);
    tests.into_iter().for_each(Sharer::end);
    machine.end();
    assert_eq!(remains(&broker), [""; 0]);
    assert!(!broker.export_definitions().unwrap().contains("colour"));
}

#[test]
fn a_version_is_checked_and_settings_and_logs_are_the_brokers_own() {
    let (broker, api) = start();
    let mut machine = Machine::new(&[(VARIABLE, &api)]);
    let failed = failure(&mut machine, "rabbitmq-version '>=99'");
    assert!(
        failed.contains(VARIABLE) && failed.contains(broker.version()),
        "{failed}"
    );
    // The management plugin is no setting that it lacks.
    let mut tests = [
        machine.start("rabbitmq-version '>=3'"),
        machine.start("rabbitmq-orders"),
        machine.start("rabbitmq-setting"),
        machine.start("rabbitmq-setting"),
    ];
    tests.iter_mut().for_each(|test| drop(url(test)));
    assert_eq!(count_said(&tests[..2], "managed-daemons: "), 0);
    assert_eq!(count_said(&tests[2..], "with settings of its own"), 1);
    tests.into_iter().for_each(Sharer::end);
    let mut local = machine.start("rabbitmq-local");
    let log = local.line();
    assert!(
        log.contains("its log is where the server of") && log.contains(VARIABLE),
        "{log}"
    );
    local.end();
    machine.end();
}

#[test]
fn the_api_is_used_over_tls() {
    let (broker, _) = start();
    let proxy = NginxDaemon::builder()
        .tls()
        .proxy("/", broker.management_url().unwrap())
        .start()
        .unwrap();
    let account = format!("{}:{}", broker.username(), broker.password());
    let api = format!("https://{account}@localhost:{}/", proxy.port());
    let ca = proxy.tls_ca().unwrap().display().to_string();
    for ending in [format!("?cacertfile={ca}"), String::from("?verify=verify_none")] {
        let mut machine = Machine::new(&[(VARIABLE, &format!("{api}{ending}"))]);
        let mut test = machine.start("rabbitmq-orders");
        let url = url(&mut test);
        // The broker itself offers no TLS.
        assert!(
            url.starts_with("amqp://") && url.contains(&format!("@localhost:{}/", broker.port())),
            "{url}"
        );
        assert_eq!(contents(&broker, &url), ["orders"]);
        test.end();
        machine.end();
    }
    let named = format!("{api}?verify=verify_none&amqp=amqps%3A%2F%2Fbroker.test%3A5671%3Fcacertfile%3Dx");
    let mut machine = Machine::new(&[(VARIABLE, &named)]);
    let mut test = machine.start("rabbitmq");
    let url = url(&mut test);
    assert!(
        url.starts_with("amqps://") && url.contains("@broker.test:5671/"),
        "{url}"
    );
    assert!(url.ends_with("?cacertfile=x"), "{url}");
    test.end();
    machine.end();
    let mut machine = Machine::new(&[(VARIABLE, &api)]);
    let failed = failure(&mut machine, "rabbitmq");
    assert!(
        failed.contains("certificate") && failed.contains("`cacertfile=/path`"),
        "{failed}"
    );
    machine.end();
    let mut machine = Machine::new(&[(VARIABLE, &format!("{api}?cacertfile=/no/such.pem"))]);
    let failed = failure(&mut machine, "rabbitmq");
    assert!(
        failed.contains("`/no/such.pem`") && failed.contains("`cacertfile=/path`"),
        "{failed}"
    );
    machine.end();
    assert_eq!(remains(&broker), [""; 0]);
}

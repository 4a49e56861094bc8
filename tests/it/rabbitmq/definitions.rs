//! Definitions that a broker begins with: their users keep their passwords, and what RabbitMQ can't
//! import is named.

use std::path::{Path, PathBuf};

use managed_daemons::{Phase, RabbitMqDaemon};
use serde_json::json;

use super::client::is_let_in;
use crate::support::{failure_in, private_root};

const QUEUE: &str = r#"{"queues": [{"vhost": "/", "name": "jobs", "durable": true, "auto_delete": false,
    "arguments": {}}]}"#;

fn write(dir: &Path, text: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join("definitions.json");
    std::fs::write(&path, text).unwrap();
    path
}

/// The export of a broker with the users guest and shop, another virtual host and a queue.
fn export(dir: &Path) -> PathBuf {
    let old = RabbitMqDaemon::builder()
        .password("guest's old one")
        .extra_virtual_host("orders")
        .extra_user("shop", "shop's old one")
        .permission("shop", "/", ".*", ".*", ".*")
        .definitions(QUEUE)
        .start()
        .unwrap();
    write(dir, old.export_definitions().unwrap())
}

#[test]
fn loaded_users_keep_their_passwords_and_the_url_has_an_account_of_its_own() {
    let root = private_root();
    let file = export(root.path());
    let rabbit = RabbitMqDaemon::builder().init_file(&file).start().unwrap();
    let check = |rabbit: &RabbitMqDaemon| {
        assert_eq!(rabbit.username(), "managed-daemons");
        assert!(rabbit.url().starts_with("amqp://managed-daemons:"));
        assert!(is_let_in(&rabbit.url()));
        assert!(is_let_in(&rabbit.virtual_host_url("orders")));
        assert!(is_let_in(&rabbit.url_for("shop", "shop's old one")));
        assert!(is_let_in(&rabbit.url_for("guest", "guest's old one")));
        assert!(!is_let_in(&rabbit.url_for("guest", rabbit.password())));
        assert!(rabbit.export_definitions().unwrap().contains("\"jobs\""));
    };
    check(&rabbit);
    let user = "rabbit_auth_backend_internal:lookup_user(<<\"managed-daemons\">>).";
    assert!(rabbit.eval(user).unwrap().contains("administrator"));
    rabbit.add_virtual_host("one more").unwrap();
    assert!(is_let_in(&rabbit.virtual_host_url("one more")));
    rabbit.restart().unwrap();
    check(&rabbit);
    let exported = write(root.path(), rabbit.export_definitions().unwrap());
    let rabbit = RabbitMqDaemon::load(rabbit.detach().unwrap()).unwrap();
    check(&rabbit);

    // That file has a user `managed-daemons`.
    let next = RabbitMqDaemon::builder().init_file(exported).start().unwrap();
    assert_eq!(next.username(), "managed-daemons-2");
    assert!(is_let_in(&next.url()));
    assert!(is_let_in(&next.url_for("managed-daemons", rabbit.password())));
}

#[test]
fn whoever_knows_the_password_of_a_loaded_user_has_it_in_the_url() {
    let root = private_root();
    let file = export(root.path());
    let builder = || RabbitMqDaemon::builder().init_file(&file);
    for (builder, url) in [
        (builder().password("guest's old one"), "amqp://guest:guest%27s"),
        (
            builder().username("shop").password("shop's old one"),
            "amqp://shop:shop%27s",
        ),
        (builder().username("admin").password("new"), "amqp://admin:new@"),
        (builder().username("shop"), "amqp://managed-daemons:"),
    ] {
        let rabbit = builder.start().unwrap();
        assert!(rabbit.url().starts_with(url), "{}", rabbit.url());
        assert!(is_let_in(&rabbit.url()), "{url}");
        assert!(is_let_in(&rabbit.url_for("guest", "guest's old one")), "{url}");
    }
    let report = failure_in(Phase::Initialize, builder().password("wrong"));
    assert!(report.contains("log in as `guest`"), "{report}");
    assert!(report.contains("leave `password` out"), "{report}");
}

#[test]
fn a_second_broker_in_the_same_directory_has_the_same_account() {
    let root = private_root();
    let file = export(root.path());
    for (name, builder) in [
        ("default", RabbitMqDaemon::builder()),
        ("shop", RabbitMqDaemon::builder().username("shop")),
    ] {
        let builder = builder.init_file(&file).working_dir(root.path().join(name));
        let first = builder.clone().start().unwrap();
        let url = first.url();
        first.close().unwrap();
        let second = builder.start().unwrap();
        assert_eq!(second.url(), url);
        assert!(is_let_in(&url));
        second.destroy().unwrap();
    }
}

#[test]
fn all_nodes_of_a_cluster_have_the_loaded_users() {
    let root = private_root();
    let file = export(root.path());
    let rabbit = RabbitMqDaemon::builder().init_file(file).cluster(2).start().unwrap();
    let other = &rabbit.other_nodes()[0];
    assert!(is_let_in(&other.url()));
    assert!(is_let_in(&other.url_for("guest", "guest's old one")));
}

#[test]
fn passwords_of_older_and_newer_versions_are_loaded() {
    const SHA256: &str = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";
    let root = private_root();
    let older = json!({
        "rabbit_version": "3.5.7",
        "users": [{ "name": "guest", "password_hash": MD5, "tags": "administrator" }],
        "vhosts": [{ "name": "/" }],
        "permissions": [{ "user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*" }],
        "parameters": [], "policies": [], "exchanges": [], "bindings": [],
        "queues": [{ "name": "jobs", "vhost": "/", "durable": true, "auto_delete": false }],
    });
    let newer = json!({
        "rabbit_version": "4.1.0", "rabbitmq_version": "4.1.0",
        "product_name": "RabbitMQ", "product_version": "4.1.0",
        "rabbitmq_definition_format": "cluster", "original_cluster_name": "rabbit@old",
        "explanation": "Definitions of cluster 'rabbit@old'",
        "users": [{
            "name": "guest", "password_hash": SHA256, "tags": ["administrator"], "limits": {},
            "hashing_algorithm": "rabbit_password_hashing_sha256",
        }],
        "vhosts": [{
            "name": "/", "description": "Default virtual host", "default_queue_type": "classic", "tags": [],
            "metadata": { "description": "Default virtual host", "tags": [], "default_queue_type": "classic" },
        }],
        "permissions": [{ "user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*" }],
        "topic_permissions": [], "parameters": [], "policies": [], "exchanges": [], "bindings": [],
        "global_parameters": [{ "name": "cluster_tags", "value": [] }],
        "queues": [{
            "name": "jobs", "vhost": "/", "durable": true, "auto_delete": false, "type": "classic",
            "arguments": { "x-queue-type": "classic" },
        }],
    });
    for definitions in [older, newer] {
        let file = write(root.path(), definitions.to_string());
        let rabbit = RabbitMqDaemon::builder().init_file(file).start().unwrap();
        assert!(is_let_in(&rabbit.url()));
        assert!(is_let_in(&rabbit.url_for("guest", "test12")), "{definitions}");
        rabbit.restart().unwrap();
        assert!(rabbit.export_definitions().unwrap().contains("\"jobs\""));
    }
}

/// Of the password `test12`, as RabbitMQ 3.5 stored it.
const MD5: &str = "kI3GChNpte2FApYFXScl+0dIluk=";

#[test]
fn a_damaged_object_is_named_before_anything_is_started() {
    let root = private_root();
    for (text, said) in [
        ("{", "not JSON"),
        ("[]", "not an object with lists of definitions"),
        (
            r#"{"queues": [{"vhost": "/", "name": "jobs"}]}"#,
            "the queue `jobs` in `/` has no `durable`",
        ),
        (
            r#"{"queues": [{"name": "jobs", "durable": true, "auto_delete": false}]}"#,
            "the queue `jobs` has no `vhost`; if this is an export of one virtual host",
        ),
        (r#"{"users": [{"name": "shop"}]}"#, "the user `shop` has no `tags`"),
        (
            r#"{"exchanges": [{"vhost": "/", "type": "topic", "durable": true}]}"#,
            "the exchange number 1 has no `name`",
        ),
    ] {
        let file = write(root.path(), text);
        let report = failure_in(Phase::Configure, RabbitMqDaemon::builder().init_file(&file));
        assert!(
            report.contains("option `init_file`") && report.contains(said),
            "{report}"
        );
        assert!(report.contains(file.to_str().unwrap()), "{report}");
        let report = failure_in(Phase::Configure, RabbitMqDaemon::builder().definitions(text));
        assert!(
            report.contains("option `definitions`") && report.contains(said),
            "{report}"
        );
    }
    let missing = RabbitMqDaemon::builder().init_file("no/such.json");
    let report = failure_in(Phase::Configure, missing);
    assert!(report.contains("no/such.json"), "{report}");
}

#[test]
fn what_rabbitmq_refuses_is_named_with_its_reason_and_a_remedy() {
    let root = private_root();
    let shovel = r#"{"parameters": [{"vhost": "/", "component": "shovel", "name": "move",
        "value": {"src-uri": "amqp://", "src-queue": "a", "dest-uri": "amqp://", "dest-queue": "b"}}]}"#;
    for (text, object, said) in [
        (
            shovel,
            "the shovel parameter `move`",
            "with `plugin(\"rabbitmq_shovel\")`",
        ),
        (
            r#"{"policies": [
                {"vhost": "/", "name": "good", "pattern": "^a", "definition": {"max-length": 9}},
                {"vhost": "/", "name": "new", "pattern": "^b", "definition": {"from-the-future": 1}}]}"#,
            "the policy `new` in `/`",
            "from-the-future",
        ),
        (
            r#"{"exchanges": [{"vhost": "/", "name": "late", "type": "x-delayed-message", "durable": true}]}"#,
            "the exchange `late` in `/`",
            "with `plugin(\"rabbitmq_delayed_message_exchange\")`",
        ),
        (
            r#"{"queues": [{"vhost": "nowhere", "name": "lost", "durable": true, "auto_delete": false}]}"#,
            "the queue `lost` in `nowhere`",
            "no_such_vhost",
        ),
        (
            r#"{"permissions": [{"user": "who", "vhost": "/", "configure": "", "write": "", "read": ""}]}"#,
            "the permission of `who` in `/`",
            "no_such_user",
        ),
    ] {
        let file = write(root.path(), text);
        let report = failure_in(Phase::Initialize, RabbitMqDaemon::builder().init_file(&file));
        let named = format!("could not import {object} of `{}` into the broker", file.display());
        assert!(report.contains(&named) && report.contains(said), "{report}");
    }
    let builder = RabbitMqDaemon::builder().plugin("rabbitmq_shovel").definitions(shovel);
    let rabbit = builder.start().unwrap();
    let error = rabbit
        .import_definitions(&shovel.replace("shovel", "nothing"))
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("could not import the nothing parameter `move` into the broker"),
        "{error}"
    );
}

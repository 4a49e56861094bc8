//! Users, virtual hosts, permissions, definitions, plugins and settings, each as a client sees it.

use managed_daemons::{with_rabbitmq, ManagedDaemonError, RabbitMqDaemon};

use super::client::{connect, is_let_in};

/// Characters that have a meaning in Erlang, JSON, a configuration, a shell or a URL.
const SPECIAL: &str = "a\"b'c\\d#e\nf%g@h:i/j<<k>>{l}[m]~p$n`o ü\t.";

#[with_rabbitmq(username("carol"), password("s3cret"))]
#[test]
fn only_the_chosen_credentials_get_in(rabbit: RabbitMqDaemon) {
    assert!(rabbit.url().starts_with("amqp://carol:s3cret@127.0.0.1:"));
    assert!(is_let_in(&rabbit.url()));
    assert!(!is_let_in(&rabbit.url().replace("s3cret", "secret")));
    assert!(!is_let_in(&rabbit.url().replace("carol:s3cret", "guest:guest")));
}

#[test]
fn passwords_are_random_and_shown_nowhere() {
    let [one, two] = [RabbitMqDaemon::start().unwrap(), RabbitMqDaemon::start().unwrap()];
    assert_eq!(one.password().len(), 32);
    assert_ne!(one.password(), two.password());
    assert!(!is_let_in(&one.url().replace(one.password(), two.password())));
    assert!(!format!("{one:?} {:?}", *one).contains(one.password()));
    let cookie = std::fs::read_to_string(one.working_dir().join(".erlang.cookie")).unwrap();
    assert!(!format!("{:?}", *one).contains(&cookie));
    let line = std::fs::read(format!("/proc/{}/cmdline", one.pid().unwrap())).unwrap();
    let line = String::from_utf8_lossy(&line);
    assert!(!line.contains(one.password()) && !line.contains(&cookie), "{line}");
}

#[test]
fn any_text_can_be_a_name_or_a_password() {
    let rabbit = RabbitMqDaemon::builder()
        .username(SPECIAL)
        .password(SPECIAL)
        .virtual_host(SPECIAL)
        .extra_virtual_host("second")
        .extra_user(format!("{SPECIAL}2"), format!("{SPECIAL}3"))
        .permission(format!("{SPECIAL}2"), SPECIAL, ".*", ".*", ".*")
        .start()
        .unwrap();
    assert!(is_let_in(&rabbit.url()));
    assert!(is_let_in(&rabbit.virtual_host_url("second")));
    let definitions: serde_json::Value = serde_json::from_str(&rabbit.export_definitions().unwrap()).unwrap();
    let mut names: Vec<_> = definitions["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, [SPECIAL.to_owned(), format!("{SPECIAL}2")]);
    rabbit.restart().unwrap();
    assert!(is_let_in(&rabbit.url()));
}

#[test]
fn impossible_options_are_refused_before_anything_is_started() {
    let builder = RabbitMqDaemon::builder;
    for (option, builder) in [
        ("username", builder().username("")),
        ("username", builder().username("a\0b")),
        ("username", builder().username("x".repeat(256))),
        ("password", builder().password("")),
        ("password", builder().password("a\0b")),
        ("virtual_host", builder().virtual_host("a\0b")),
        ("extra_virtual_host", builder().extra_virtual_host("")),
        ("extra_user", builder().extra_user("", "x")),
        ("plugin", builder().plugin("rabbitmq_management].\n[x")),
        ("setting", builder().setting("listeners.tcp.default", "5672")),
        ("setting", builder().setting("a b", "c")),
        (
            "setting",
            builder().setting("heartbeat", "60\nlisteners.tcp.1 = 0.0.0.0:5672"),
        ),
        ("cluster", builder().cluster(1000)),
    ] {
        match builder.start() {
            Err(ManagedDaemonError::Start { source, .. }) => match *source {
                ManagedDaemonError::InvalidOption { option: named, .. } => {
                    assert_eq!(named, option)
                }
                other => panic!("{option}: {other:?}"),
            },
            other => panic!("{option}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn permissions_are_enforced() {
    let rabbit = RabbitMqDaemon::builder()
        .virtual_host("orders")
        .extra_user("reader", "r")
        .extra_user("nobody", "n")
        .permission("reader", "orders", "", "", "public-.*")
        .definitions(queue("public-news"))
        .definitions(queue("secret"))
        .start()
        .unwrap();
    let url = |user: &str, password: &str| {
        rabbit
            .url()
            .replace(&format!("guest:{}", rabbit.password()), &format!("{user}:{password}"))
    };
    let connection = connect(&url("reader", "r")).await.unwrap();
    for (queue, may) in [("public-news", true), ("secret", false)] {
        let channel = connection.create_channel().await.unwrap();
        assert_eq!(
            channel.basic_get(queue, Default::default()).await.is_ok(),
            may,
            "{queue}"
        );
    }
    assert!(connect(&url("nobody", "n")).await.is_err());
    assert!(
        connect(&rabbit.virtual_host_url("/")).await.is_err(),
        "`orders` replaces `/`"
    );
}

fn queue(name: &str) -> String {
    format!(
        r#"{{"queues": [{{"vhost": "orders", "name": "{name}", "durable": true, "auto_delete": false, "arguments": {{}}}}]}}"#
    )
}

#[test]
fn definitions_can_be_imported_and_exported() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("definitions.json");
    std::fs::write(&file, queue("from-a-file")).unwrap();
    let rabbit = RabbitMqDaemon::builder()
        .virtual_host("orders")
        .definitions(queue("from-a-text"))
        .init_file(&file)
        .start()
        .unwrap();
    let exported = rabbit.export_definitions().unwrap();
    assert!(
        exported.contains("from-a-file") && exported.contains("from-a-text"),
        "{exported}"
    );

    let other = RabbitMqDaemon::builder().virtual_host("orders").start().unwrap();
    let mut definitions: serde_json::Value = serde_json::from_str(&exported).unwrap();
    // Imported users would keep the other broker's passwords.
    definitions.as_object_mut().unwrap().remove("users");
    other.import_definitions(&definitions.to_string()).unwrap();
    assert!(other.export_definitions().unwrap().contains("from-a-text"));
    let error = other.import_definitions("{").unwrap_err().to_string();
    assert!(error.contains("import definitions"), "{error}");
}

#[test]
fn a_virtual_host_can_be_added_to_a_running_broker() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    assert!(!is_let_in(&rabbit.virtual_host_url("one more")));
    rabbit.add_virtual_host("one more").unwrap();
    assert!(is_let_in(&rabbit.virtual_host_url("one more")));
}

#[test]
fn management_answers_at_its_url_if_it_is_enabled() {
    assert_eq!(RabbitMqDaemon::start().unwrap().management_url(), None);
    let rabbit = RabbitMqDaemon::builder()
        .management()
        .start_timeout(crate::support::FAR)
        .start()
        .unwrap();
    let url = rabbit.management_url().unwrap();
    assert_eq!(
        url,
        format!("http://127.0.0.1:{}/", rabbit.port_named("management").unwrap())
    );
    assert!(get(&url, None).unwrap().contains("RabbitMQ Management"));
    assert!(get(&format!("{url}api/overview"), None).is_err());
    let overview = get(&format!("{url}api/overview"), Some(&rabbit)).unwrap();
    assert!(overview.contains(&rabbit.node_name()), "{overview}");
    rabbit.restart().unwrap();
    get(&format!("{url}api/overview"), Some(&rabbit)).unwrap();
}

/// Gets a page, with the credentials of a broker's first user or without any.
fn get(url: &str, user: Option<&RabbitMqDaemon>) -> Result<String, ureq::Error> {
    let credentials = user.map(|rabbit| format!("{}:{}@", rabbit.username(), rabbit.password()));
    let url = url.replace("http://", &format!("http://{}", credentials.unwrap_or_default()));
    ureq::get(&url).call()?.body_mut().read_to_string()
}

#[test]
fn settings_take_effect() {
    let rabbit = RabbitMqDaemon::builder()
        .setting("channel_max", "17")
        .setting("heartbeat", "19")
        .start()
        .unwrap();
    assert_eq!(
        rabbit.eval("application:get_env(rabbit, channel_max).").unwrap(),
        "{ok,17}"
    );
    assert!(is_let_in(&rabbit.url()));
    assert_eq!(
        rabbit.eval("application:get_env(rabbit, heartbeat).").unwrap(),
        "{ok,19}"
    );
}

#[test]
fn eval_returns_the_value_or_the_exception() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    assert_eq!(rabbit.eval("A = 1, A + 1.").unwrap(), "2");
    for wrong in ["1 / 0.", "1 +", "no_such_module:f()."] {
        assert!(
            matches!(rabbit.eval(wrong), Err(ManagedDaemonError::Protocol { .. })),
            "{wrong}"
        );
    }
    rabbit.stop().unwrap();
    assert!(matches!(rabbit.eval("1."), Err(ManagedDaemonError::Io { .. })));
}

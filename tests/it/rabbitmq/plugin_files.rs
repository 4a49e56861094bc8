//! Community plugins, from their files.

use std::path::{Path, PathBuf};

use managed_daemons::{BinaryRequest, BinarySpec, RabbitMqBuilder, RabbitMqDaemon};

use super::listening::{loopback_ports, LISTENING};
use crate::support::{private_root, FAR};

/// Compiles `example.erl` of the current directory, and packs it as a plugin.
const PACK: &str = r#"
    {ok, example} = compile:file("example", [{outdir, "example-1.0.0/ebin"}]),
    Files = ["example-1.0.0/ebin/" ++ File || File <- ["example.app", "example.beam"]],
    {ok, _} = zip:create("example-1.0.0.ez", Files),
    halt().
"#;
const SOURCE: &str = "
    -module(example).
    -behaviour(application).
    -export([start/2, stop/1, init/1]).
    start(normal, []) -> persistent_term:put(example, started), supervisor:start_link(?MODULE, []).
    stop(_) -> ok.
    init([]) -> {ok, {{one_for_one, 1, 1}, []}}.
";

/// Makes a plugin in a directory, for these versions of RabbitMQ.
fn make_plugin(directory: &Path, versions: &str, applications: &str) -> PathBuf {
    let ebin = directory.join("example-1.0.0/ebin");
    std::fs::create_dir_all(&ebin).unwrap();
    let applications = ["kernel", "stdlib", "rabbit", applications].join(",");
    let applications = applications.trim_end_matches(',');
    let app = format!(
        "{{application, example, [{{vsn, \"1.0.0\"}}, {{modules, [example]}}, {{registered, []}}, {{mod, {{example, []}}}},
         {{applications, [{applications}]}}, {{broker_version_requirements, [{versions}]}}]}}."
    );
    std::fs::write(ebin.join("example.app"), app).unwrap();
    std::fs::write(directory.join("example.erl"), SOURCE).unwrap();
    let request = BinaryRequest::default();
    let rabbitmq = BinarySpec::named("rabbitmq").unwrap().locate(&request).unwrap();
    let mut erl = rabbitmq.command_of(&rabbitmq.tool("erl").unwrap());
    erl.args(["-noinput", "-eval", PACK])
        .current_dir(directory)
        .env("HOME", directory);
    let packed = erl.output().unwrap();
    assert!(packed.status.success(), "{packed:?}");
    directory.join("example-1.0.0.ez")
}

fn refusal(builder: RabbitMqBuilder) -> String {
    builder.start().unwrap_err().report()
}

#[test]
fn a_plugin_runs_beside_those_of_the_installation() {
    let directory = tempfile::tempdir().unwrap();
    let file = make_plugin(directory.path(), "", "rabbitmq_shovel");
    let rabbit = RabbitMqDaemon::builder()
        .plugin("rabbitmq_stomp")
        .plugin_file(&file)
        .start();
    let rabbit = rabbit.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(rabbit.eval("persistent_term:get(example).").unwrap(), "started");
    let running =
        "[App || {App, _, _} <- application:which_applications(), lists:member(App, [example, rabbitmq_stomp, \
                   rabbitmq_shovel])].";
    let running = rabbit.eval(running).unwrap();
    assert_eq!(running.split(',').count(), 3, "{running}");
}

#[test]
fn plugins_that_a_file_needs_listen_on_loopback() {
    let directory = tempfile::tempdir().unwrap();
    let file = make_plugin(directory.path(), "", &LISTENING.join(","));
    let start = || {
        let rabbit = RabbitMqDaemon::builder()
            .plugin("rabbitmq_stomp")
            .plugin_file(&file)
            .start_timeout(FAR)
            .start();
        rabbit.unwrap_or_else(|error| panic!("{}", error.report()))
    };
    let rabbits = std::thread::scope(|scope| {
        [(); 2]
            .map(|()| scope.spawn(start))
            .map(|started| started.join().unwrap())
    });
    for rabbit in &rabbits {
        let ports = loopback_ports(rabbit);
        // Each of the plugins, AMQP, and other nodes.
        assert_eq!(ports.len(), LISTENING.len() + 2, "{ports:?}");
        assert!(ports.contains(&rabbit.port_named("stomp").unwrap()));
        assert_eq!(rabbit.management_url(), None);
    }
}

#[test]
fn a_broker_with_a_plugin_of_a_relative_path_is_loaded_from_another_directory() {
    let directory = private_root();
    let file = make_plugin(directory.path(), "", "");
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(file.strip_prefix("/").unwrap());
    let builder = RabbitMqDaemon::builder().plugin_file(relative);
    let at = builder
        .working_dir(directory.path().join("mine"))
        .start()
        .unwrap()
        .detach()
        .unwrap();
    // The current directory of this process is that of other tests, too.
    let saved = std::fs::read_to_string(at.join("service.json")).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    let path = saved["settings"]["plugin_files"][0].as_str().unwrap();
    assert!(Path::new(path).is_absolute(), "{path}");
    let rabbit = RabbitMqDaemon::load(&at).unwrap();
    rabbit.restart().unwrap();
    assert_eq!(rabbit.eval("persistent_term:get(example).").unwrap(), "started");
    rabbit.destroy().unwrap();
}

#[test]
fn a_plugin_that_can_not_be_used_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let builder = RabbitMqDaemon::builder;
    let file = make_plugin(directory.path(), "\"2.8.0\", \"2.9.0\"", "");
    let report = refusal(builder().plugin_file(file));
    assert!(
        report.contains("option `plugin_file`: `example` 1.0.0 is for RabbitMQ 2.8.0, 2.9.0, and this is "),
        "{report}"
    );
    let file = make_plugin(directory.path(), "", "imaginary");
    let report = refusal(builder().plugin_file(&file));
    assert!(
        report.contains("needs imaginary, which this installation does not have"),
        "{report}"
    );
    let report = refusal(builder().plugin_file(&file).plugin_file(file));
    assert!(
        report.contains("has the plugin `example`, which is asked for twice"),
        "{report}"
    );
    let text = directory.path().join("text.ez");
    std::fs::write(&text, "no archive").unwrap();
    let report = refusal(builder().plugin_file(text));
    assert!(
        report.contains("is not a plugin: an `.ez` file is a zip archive"),
        "{report}"
    );
    let report = refusal(builder().plugin_file("missing.ez"));
    assert!(report.contains("/missing.ez` can't be read"), "{report}");
}

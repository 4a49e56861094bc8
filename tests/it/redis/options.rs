//! Redis's settings and modules, and options that can't be used.

use std::path::{Path, PathBuf};
use std::process::Command;

use managed_daemons::{Phase, RedisDaemon};

use crate::support::{config, connect, failure_in, private_root, start_failure};

#[test]
fn what_redis_would_misread_is_refused_with_a_reason() {
    let builder = RedisDaemon::builder;
    for (result, named) in [
        (builder().password("nul\0").start(), "`password`"),
        (builder().password("").start(), "without_password"),
        (builder().extra_user("two words", "x").start(), "`extra_user`"),
        (builder().extra_user("line\nfeed", "x").start(), "`extra_user`"),
        (builder().extra_user("default", "x").start(), "`extra_user`"),
        (builder().extra_user("nul", "\0").start(), "`extra_user`"),
        (builder().setting("", "x").start(), "not the name of a setting"),
        (
            builder().setting("max memory", "1").start(),
            "not the name of a setting",
        ),
        (
            builder().setting("maxmemory\nport", "1").start(),
            "not the name of a setting",
        ),
        (builder().setting("maxmemory", "\0").start(), "NUL"),
        (builder().setting("maxmemory", "1mb\nport 1").start(), "line break"),
        (builder().setting("maxmemory", "1mb\rport 1").start(), "line break"),
        (builder().setting("port", "1").start(), "use `port`"),
        (builder().setting("RequirePass", "1").start(), "use `password`"),
        (builder().setting("user", "a on").start(), "use `extra_user`"),
        (builder().setting("dir", "/").start(), "use `working_dir`"),
    ] {
        let report = start_failure(result);
        assert!(report.contains(named), "no {named:?} in {report}");
    }
}

#[test]
fn a_wrong_setting_is_reported_in_the_words_of_redis() {
    for (arguments, said) in [("\"1", "Unbalanced quotes"), ("\"1\"2", "Unbalanced quotes")] {
        let report = start_failure(RedisDaemon::builder().setting("maxmemory", arguments).start());
        let first = report.lines().next().unwrap();
        assert!(first.contains(said) && first.contains("maxmemory"), "{report}");
    }
}

#[test]
fn settings_take_effect() {
    let daemon = RedisDaemon::builder()
        .setting("maxmemory", "8mb")
        .setting("client-output-buffer-limit", "normal 1mb 0 0")
        .setting("appendonly", "yes")
        .setting("save", "3600 1")
        .setting("dbfilename", "'two words.rdb'")
        .start()
        .unwrap();
    assert_eq!(config(&daemon, "maxmemory"), "8388608");
    assert!(config(&daemon, "client-output-buffer-limit").starts_with("normal 1048576 0 0"));
    assert_eq!(config(&daemon, "appendonly"), "yes");
    assert_eq!(config(&daemon, "save"), "3600 1");
    assert_eq!(config(&daemon, "dbfilename"), "two words.rdb");
}

#[test]
fn a_module_is_loaded_even_from_an_odd_path_and_by_a_loaded_daemon() {
    let root = private_root();
    let module = compile_module(root.path(), "it's a \"module\".so");
    let daemon = RedisDaemon::builder().module(&module).start().unwrap();
    assert_loaded(&daemon);
    let dir = daemon.detach().unwrap();
    let daemon = RedisDaemon::load(dir).unwrap();
    daemon.restart().unwrap();
    assert_loaded(&daemon);
    let report = failure_in(Phase::Configure, RedisDaemon::builder().module("no-such-module.so"));
    assert!(report.contains("no-such-module.so"), "{report}");
}

#[test]
fn a_module_gets_its_arguments_as_they_are() {
    let root = private_root();
    let module = compile_module(root.path(), "hello.so");
    let arguments = ["plain", "two words", "it's \"quoted\"", "back\\slash", "é", ""];
    let daemon = RedisDaemon::builder()
        .module_with_args(&module, arguments)
        .start()
        .unwrap();
    let log = daemon.log().unwrap();
    for argument in arguments {
        assert!(log.contains(&format!("argument <{argument}>\n")), "{argument}: {log}");
    }
}

/// Makes a module of this name in a directory.
pub(crate) fn compile_module(dir: &Path, name: &str) -> PathBuf {
    let (source, module) = (dir.join("hello.c"), dir.join(name));
    std::fs::write(&source, MODULE).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&module).arg(&source);
    assert!(compile.status().unwrap().success());
    module
}

/// A [module](https://redis.io/docs/latest/develop/reference/modules/) that prints its arguments.
/// It does without Redis's header, which not every system has.
const MODULE: &str = r#"
int printf(const char *, ...);
int fflush(void *);
int RedisModule_OnLoad(void **context, void **arguments, int count) {
    int (*get_api)(const char *, void *) = (int (*)(const char *, void *))context[0];
    void (*set_attributes)(void *, const char *, int, int);
    get_api("RedisModule_SetModuleAttribs", (void *)&set_attributes);
    set_attributes(context, "hello", 1, 1);
    const char *(*text)(const void *, unsigned long *);
    get_api("RedisModule_StringPtrLen", (void *)&text);
    for (int at = 0; at < count; at++) printf("argument <%s>\n", text(arguments[at], 0));
    fflush(0);
    return 0;
}
"#;

pub(super) fn assert_loaded(daemon: &RedisDaemon) {
    let mut list = redis::cmd("MODULE");
    let list: redis::Value = list.arg("LIST").query(&mut connect(daemon).unwrap()).unwrap();
    assert!(format!("{list:?}").contains("hello"), "{list:?}");
}

//! Redis's directives, and options that it can't take.

use managed_daemons::RedisDaemon;

use crate::support::{config, start_failure};

#[test]
fn what_redis_would_misread_is_refused_with_a_reason() {
    let builder = RedisDaemon::builder;
    for (result, named) in [
        (builder().password("nul\0").start(), "`password`"),
        (builder().password("").start(), "without_password"),
        (builder().user("two words", "x").start(), "`user`"),
        (builder().user("line\nfeed", "x").start(), "`user`"),
        (builder().user("default", "x").start(), "`user`"),
        (builder().user("nul", "\0").start(), "`user`"),
        (builder().setting("", "x").start(), "no directive"),
        (builder().setting("max memory", "1").start(), "no directive"),
        (builder().setting("maxmemory\nport", "1").start(), "no directive"),
        (builder().setting("maxmemory", "\0").start(), "NUL"),
        (builder().setting("maxmemory", "\"1").start(), "not closed"),
        (builder().setting("maxmemory", "\"1\"2").start(), "followed by more"),
        (builder().setting("port", "1").start(), "use `port`"),
        (builder().setting("RequirePass", "1").start(), "use `password`"),
        (builder().setting("dir", "/").start(), "use `working_dir`"),
    ] {
        let report = start_failure(result);
        assert!(report.contains(named), "no {named:?} in {report}");
    }
}

#[test]
fn a_line_feed_in_a_directive_is_read_as_a_space() {
    let daemon = RedisDaemon::builder().setting("save", "3600\n1").start().unwrap();
    assert_eq!(config(&daemon, "save"), "3600 1");
    let report = start_failure(RedisDaemon::builder().setting("maxmemory", "1mb\nmaxclients 5").start());
    assert!(report.contains("maxmemory"), "{report}");
}

#[test]
fn directives_take_effect() {
    let daemon = RedisDaemon::builder()
        .setting("maxmemory", "8mb")
        .setting("client-output-buffer-limit", "normal 1mb 0 0")
        .setting("appendonly", "yes")
        .start()
        .unwrap();
    assert_eq!(config(&daemon, "maxmemory"), "8388608");
    assert!(config(&daemon, "client-output-buffer-limit").starts_with("normal 1048576 0 0"));
    assert_eq!(config(&daemon, "appendonly"), "yes");
}

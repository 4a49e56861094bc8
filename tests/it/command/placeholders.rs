//! Placeholders of other daemons in the options of daemons that are no programs.

use super::{postgres_one, redis_setting, refusal, write, Session};
use crate::support::private_root;

#[test]
fn those_of_other_daemons_are_filled_in() {
    let session = Session::start(&[
        // Before what it waits for.
        "postgres",
        "--set",
        "app.cache={\"url\": \"{cache.url}\"}",
        "cache=redis",
        "--password",
        "s3cr3t",
        "queue=redis",
        "--password",
        "{cache.password}",
    ]);
    let setting = postgres_one(session.var("POSTGRES_URL"), "SHOW app.cache").unwrap();
    assert_eq!(setting, format!("{{\"url\": \"{}\"}}", session.var("CACHE_URL")));
    assert_eq!(session.var("QUEUE_PASSWORD"), "s3cr3t");
    session.end();
}

#[test]
fn other_braces_stay() {
    let text = "{port} {cache.url} {postgres.url} {{redis.url}} {a: {}}";
    let session = Session::start(&["postgres", "--set", &format!("app.text={text}"), "redis"]);
    let setting = postgres_one(session.var("POSTGRES_URL"), "SHOW app.text");
    assert_eq!(setting.unwrap(), text);
    session.end();
}

#[test]
fn what_can_not_be_filled_in_is_said() {
    let files = private_root();
    let config = write(files.path(), "own.conf", "# {\"a\": 1} {cache.url}\nmaxmemory 8mb\n");
    for (daemons, expected) in [
        (
            &["queue=redis", "--set", "maxmemory={cache.size}", "cache=memcached"][..],
            String::from(
                "queue: `--set maxmemory={cache.size}`: there is no placeholder `{cache.size}`; there are `{cache.url}`, \
                 `{cache.host}`, `{cache.port}`, `{cache.dir}`",
            ),
        ),
        (
            &["a=redis", "--password", "{b.port}", "b=redis", "--password", "{a.port}"],
            String::from("each of these would start after another: a, b"),
        ),
        (
            &["redis", "--config", &config, "cache=memcached"],
            format!(
                "redis: `--config {config}` has a placeholder `{{cache.…}}`: they are filled in in the values of options \
                 and in the file of a `--command`, but not in the file of redis"
            ),
        ),
    ] {
        assert_eq!(refusal(daemons), expected);
    }
    // Without such a daemon, it is none.
    let session = Session::start(&["redis", "--config", &config]);
    assert_eq!(redis_setting(&mut session.redis(), "maxmemory"), "8388608");
    session.end();
}

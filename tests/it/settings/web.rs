use std::path::Path;

use managed_daemons::{ApacheDaemon, NginxDaemon};

use super::{assert_documented, Settings};

const NGINX: &str = include_str!("../../../fixtures/src/daemons/nginx/settings.md");
const APACHE: &str = include_str!("../../../fixtures/src/daemons/apache/settings.md");

/// What gives a configuration its form.
const FORM: &[&str] = &[
    "default", "events", "http", "listen", "location", "map", "return", "server",
];
/// The server that says which configuration is in use; nobody else knows its port.
const OF_GENERATION: &[&str] = &["ErrorDocument", "LogLevel", "Require", "SSLEngine"];

/// The directives of configuration files: a name with the rest of its line.
fn directives(dir: &Path, files: &[&str], separators: &[char]) -> Settings {
    let text = files
        .iter()
        .map(|name| std::fs::read_to_string(dir.join(name)).unwrap());
    let text = text.collect::<Vec<_>>().join("\n");
    let words = text
        .split(separators)
        .map(str::trim)
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    let pairs = words.map(|line| line.split_once(' ').unwrap_or((line, "")));
    let pairs = pairs.filter(|(name, _)| !FORM.contains(name) && !OF_GENERATION.contains(name));
    pairs
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn the_table_of_nginx_is_true() {
    let nginx = NginxDaemon::start().unwrap();
    let set = directives(nginx.working_dir(), &["service.conf"], &[';', '{', '}', '\n']);
    assert_documented(NGINX, &set, |name| set.get(name).cloned());
}

#[test]
fn the_table_of_apache_is_true() {
    let apache = ApacheDaemon::start().unwrap();
    let set = directives(apache.working_dir(), &["service.conf", "preamble.conf"], &['\n']);
    assert_documented(APACHE, &set, |name| set.get(name).cloned());
}

//! What only Apache has.

use std::fs;

use managed_daemons::{with_apache, ApacheDaemon};

use super::answer;
use crate::support::private_root;

#[with_apache(
    module("alias"),
    server_config("Redirect 410 /gone"),
    proxy("/api/", 9),
    listen("second")
)]
#[test]
fn the_attribute_starts_a_server(apache: &ApacheDaemon) {
    assert_eq!(
        answer(&format!("{}/gone", apache.port_url("second").unwrap())).status,
        410
    );
}

#[test]
fn modules_are_loaded_by_name_or_by_directive() {
    let apache = ApacheDaemon::builder()
        .module("rewrite")
        .config(
            "LoadModule alias_module modules/mod_alias.so\nListen @LISTEN@\nRedirect 410 /gone\nRewriteEngine on\n\
             RewriteRule ^/old(.*) /new$1\nDocumentRoot @ROOT@\n",
        )
        .start()
        .unwrap();
    fs::write(apache.document_root().join("new.txt"), "rewritten").unwrap();
    assert_eq!(answer(&format!("{}/gone", apache.url())).status, 410);
    assert_eq!(answer(&format!("{}/old.txt", apache.url())).body, "rewritten");
    let report = ApacheDaemon::builder().module("a b\n").start().unwrap_err().report();
    assert!(report.contains("option `module`"), "{report}");
}

/// Each module on its own, with what it needs.
#[test]
fn every_module_of_the_installation_can_be_loaded() {
    let first = ApacheDaemon::start().unwrap();
    let files = fs::read_dir(first.working_dir().join("modules")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    // A second process model is refused, and the last one wants a certificate of a real authority.
    let wanted = names.filter(|name| name.ends_with(".so") && !name.starts_with("mod_mpm_") && name != "mod_md.so");
    let mut loaded = 0;
    for name in wanted {
        let daemon = ApacheDaemon::builder().module(&*name).start();
        let daemon = daemon.unwrap_or_else(|error| panic!("{name}: {}", error.report()));
        assert_eq!(answer(&format!("{}/missing", daemon.url())).status, 404, "{name}");
        loaded += 1;
    }
    assert!(loaded > 50, "{loaded}");
}

#[test]
fn a_htaccess_is_read_only_where_that_is_allowed() {
    let site = private_root();
    fs::write(site.path().join(".htaccess"), "DirectoryIndex other.html\n").unwrap();
    fs::write(site.path().join("index.html"), "index").unwrap();
    fs::write(site.path().join("other.html"), "other").unwrap();
    let builder = || ApacheDaemon::builder().serve(site.path());
    assert_eq!(answer(&builder().start().unwrap().url()).body, "index");
    let allowed = builder().server_config("<Directory />\nAllowOverride All\n</Directory>");
    assert_eq!(answer(&allowed.start().unwrap().url()).body, "other");
}

#[test]
fn an_unknown_directive_is_answered_with_its_module() {
    for (text, option) in [
        ("RewriteEngine on", "`RewriteEngine` comes with `module(\"rewrite\")`"),
        ("Header set X-Test 1", "`Header` comes with `module(\"headers\")`"),
        ("rewriteengine on", "`rewriteengine` comes with `module(\"rewrite\")`"),
        (
            "WSGIScriptAlias / /app.wsgi",
            "`WSGIScriptAlias` comes with `module(\"wsgi\")`",
        ),
        ("php_value a b", "`php_value` comes with `module(\"php\")`"),
        ("AuthLDAPURL x", "`AuthLDAPURL` comes with `module(\"authnz_ldap\")`"),
    ] {
        let report = ApacheDaemon::builder()
            .server_config(text)
            .start()
            .unwrap_err()
            .report();
        assert!(report.contains(option), "{report}");
    }
    let report = ApacheDaemon::builder()
        .server_config("NoSuchThing on")
        .start()
        .unwrap_err()
        .report();
    assert!(
        report.contains("Invalid command 'NoSuchThing'") && !report.contains("comes with"),
        "{report}"
    );
}

#[test]
fn a_graceful_reload_reads_the_include_directory() {
    let apache = ApacheDaemon::builder().module("alias").start().unwrap();
    let url = format!("{}/gone", apache.url());
    assert_eq!(answer(&url).status, 404);
    fs::write(apache.config_dir().join("gone.conf"), "Redirect 410 /gone\n").unwrap();
    apache.graceful().unwrap();
    assert_eq!(answer(&url).status, 410);
}

#[test]
fn another_multi_processing_module_can_be_chosen() {
    let text = "LoadModule mpm_prefork_module modules/mod_mpm_prefork.so\nListen @LISTEN@\n";
    let apache = ApacheDaemon::builder().config(text).start().unwrap();
    assert_eq!(answer(&format!("{}/missing", apache.url())).status, 404);
    apache.graceful().unwrap();
    assert_eq!(answer(&format!("{}/missing", apache.url())).status, 404);
    assert!(apache.error_log().unwrap().contains("mpm_prefork"));
}

#[test]
fn a_balancers_shared_memory_is_removed() {
    let shared = || {
        let names = fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        names
            .filter(|path| path.to_string_lossy().contains("/ShM."))
            .collect::<Vec<_>>()
    };
    let apache = ApacheDaemon::builder()
        .module("proxy")
        .module("proxy_http")
        .module("slotmem_shm")
        .module("lbmethod_byrequests")
        .module("proxy_balancer")
        .server_config("<Proxy balancer://b>\nBalancerMember http://127.0.0.1:9\n</Proxy>\nProxyPass /b/ balancer://b/")
        .start()
        .unwrap();
    assert_eq!(answer(&format!("{}/b/", apache.url())).status, 503);
    apache.graceful().unwrap();
    assert_eq!(answer(&format!("{}/b/", apache.url())).status, 503);
    apache.kill().unwrap();
    assert_eq!(shared(), Vec::<std::path::PathBuf>::new());
    apache.start_if_not_running().unwrap();
    assert_eq!(answer(&format!("{}/b/", apache.url())).status, 503);
}

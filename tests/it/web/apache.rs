//! What only Apache has.

use std::fs;

use managed_daemons::{with_apache, ApacheDaemon};

use super::answer;

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
    let report = ApacheDaemon::builder().module("rewrit").start().unwrap_err().report();
    assert!(report.contains("mod_rewrit.so"), "{report}");
    let report = ApacheDaemon::builder().module("a b\n").start().unwrap_err().report();
    assert!(report.contains("option `module`"), "{report}");
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

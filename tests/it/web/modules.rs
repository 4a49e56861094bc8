//! Modules that the server found lacks, which are fetched.

use std::fs;

use managed_daemons::{ApacheDaemon, NginxDaemon};

use super::client::header;
use super::{answer, get};
use crate::support::{has_apt, is_full_run};

#[test]
fn nginx_gets_a_module_from_its_package() {
    if !has_apt() {
        return;
    }
    let nginx = NginxDaemon::builder()
        .module("http-headers-more-filter")
        .server_config("more_set_headers 'X-More: yes';")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    fs::write(nginx.document_root().join("page"), "served").unwrap();
    assert_eq!(header(&get(&format!("{}/page", nginx.url())), "x-more"), "yes");
}

#[test]
fn apache_gets_a_module_from_its_package() {
    if !is_full_run() {
        return;
    }
    let apache = ApacheDaemon::builder()
        .module("xsendfile")
        .module("headers")
        .server_config("XSendFile on\n<Location /page>\nHeader set X-Sendfile another\n</Location>")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    fs::write(apache.document_root().join("page"), "served").unwrap();
    fs::write(apache.document_root().join("another"), "sent").unwrap();
    assert_eq!(answer(&format!("{}/page", apache.url())).body, "sent");
}

#[test]
fn apache_runs_python() {
    if !is_full_run() {
        return;
    }
    let apache = ApacheDaemon::builder()
        .module("wsgi")
        .server_config("WSGIScriptAlias /app @ROOT@/app.py")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    let app = "import json\ndef application(environ, start_response):\n    \
               start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [json.dumps([6 * 7]).encode()]\n";
    fs::write(apache.document_root().join("app.py"), app).unwrap();
    assert_eq!(answer(&format!("{}/app", apache.url())).body, "[42]");
}

#[test]
fn a_module_that_is_not_there_is_answered_with_those_that_are() {
    if !has_apt() {
        return;
    }
    let report = ApacheDaemon::builder().module("rewrit").start().unwrap_err().report();
    assert!(report.contains("without module `rewrit`"), "{report}");
    assert!(report.contains(" rewrite, "), "{report}");
    let report = NginxDaemon::builder()
        .module("http-headers-les")
        .start()
        .unwrap_err()
        .report();
    assert!(
        report.contains("of the package `libnginx-mod-http-headers-les`"),
        "{report}"
    );
}

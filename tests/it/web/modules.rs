//! Modules that the server found lacks, which are fetched.

use std::fs;

use managed_daemons::{ApacheDaemon, NginxDaemon};
use ureq::http::Request;

use super::client::{header, send};
use super::{answer, get};
use crate::support::{has_apt, is_full_run, private_root};

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
fn nginx_runs_lua() {
    if !is_full_run() {
        return;
    }
    let nginx = NginxDaemon::builder()
        .module("lua")
        .server_config(
            "location /lua { content_by_lua_block { ngx.say(require('resty.core.base').version ~= nil, 6 * 7) } }",
        )
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(answer(&format!("{}/lua", nginx.url())).body, "true42\n");
}

#[test]
fn nginx_runs_perl() {
    if !is_full_run() {
        return;
    }
    let nginx = NginxDaemon::builder()
        .module("perl")
        .http_config(
            "perl_set $answer 'sub { use POSIX qw(floor); use List::Util qw(sum); return floor(sum(40.5, 2)); }';",
        )
        .server_config("location /perl { return 200 $answer; }")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(answer(&format!("{}/perl", nginx.url())).body, "42");
}

#[test]
fn nginx_runs_javascript_and_changes_what_it_serves() {
    if !is_full_run() {
        return;
    }
    let root = private_root();
    let script = "export default { answer: (r) => r.return(200, String(6 * 7)) };";
    fs::write(root.path().join("main.js"), script).unwrap();
    let image = b"GIF89a\x01\0\x02\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x02\0\0\x02\x02\x84Q\0;";
    fs::write(root.path().join("image.gif"), image).unwrap();
    fs::write(root.path().join("page.txt"), "words ".repeat(100)).unwrap();
    let nginx = NginxDaemon::builder()
        .module("njs")
        .module("brotli")
        .module("image_filter")
        .serve(root.path())
        .http_config("js_path @ROOT@; js_import main from main.js;")
        .server_config("location /js { js_content main.answer; } location /image.gif { image_filter size; }")
        .server_config("brotli on; brotli_types text/plain;")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(answer(&format!("{}/js", nginx.url())).body, "42");
    let size = answer(&format!("{}/image.gif", nginx.url())).body;
    assert!(
        size.contains("\"width\": 1, \"height\": 2, \"type\": \"gif\""),
        "{size}"
    );
    let request = Request::get(format!("{}/page.txt", nginx.url())).header("Accept-Encoding", "br");
    assert_eq!(header(&send(request.body(()).unwrap()), "content-encoding"), "br");
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
fn apache_runs_php() {
    if !is_full_run() {
        return;
    }
    let apache = ApacheDaemon::builder()
        .module("php")
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    let page = apache.document_root().join("index.php");
    // Extensions, sessions and the index.
    let code = "<?php session_start(); $_SESSION['n'] = 6; session_write_close(); session_start();\n\
                echo ctype_digit('7') ? $_SESSION['n'] * 7 : 'no', ' ', PHP_SAPI, ' ', session_save_path();";
    fs::write(&page, code).unwrap();
    let expected = format!("42 apache2handler {}", apache.working_dir().join("tmp").display());
    assert_eq!(answer(&apache.url()).body, expected);
    fs::write(&page, "<?= json_encode(['changed' => true]) ?>").unwrap();
    assert_eq!(
        answer(&format!("{}/index.php", apache.url())).body,
        "{\"changed\":true}"
    );
    fs::write(apache.document_root().join("page.txt"), "<?= 1 ?>").unwrap();
    assert_eq!(answer(&format!("{}/page.txt", apache.url())).body, "<?= 1 ?>");
    apache.reload().unwrap();
    assert_eq!(answer(&apache.url()).body, "{\"changed\":true}");
}

#[test]
fn a_version_of_php_that_is_not_there_is_answered_with_the_one_that_is() {
    if !is_full_run() {
        return;
    }
    let report = ApacheDaemon::builder().module("php4.0").start().unwrap_err().report();
    assert!(
        report.contains("has no package `libapache2-mod-php4.0`; it has"),
        "{report}"
    );
    assert!(report.contains(" php8."), "{report}");
}

#[test]
fn apache_runs_perl() {
    if !is_full_run() {
        return;
    }
    let apache = ApacheDaemon::builder()
        .module("perl")
        .server_config(
            "<Location /app>\nSetHandler perl-script\nPerlResponseHandler ModPerl::Registry\n\
             PerlOptions +ParseHeaders\nOptions +ExecCGI\n</Location>",
        )
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    let code = "use strict; use POSIX qw(floor); use List::Util qw(sum);\n\
                print \"Content-Type: text/plain\\n\\n\", floor(sum(40.5, 2));";
    fs::write(apache.document_root().join("app"), code).unwrap();
    assert_eq!(answer(&format!("{}/app", apache.url())).body, "42");
}

#[test]
fn apache_takes_the_process_model_that_is_asked_for() {
    for model in ["prefork", "worker"] {
        let apache = ApacheDaemon::builder()
            .module(format!("mpm_{model}"))
            .module("status")
            .server_config("<Location /status>\nSetHandler server-status\n</Location>")
            .start()
            .unwrap();
        let status = answer(&format!("{}/status?auto", apache.url())).body;
        assert!(status.contains(&format!("ServerMPM: {model}\n")), "{status}");
    }
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

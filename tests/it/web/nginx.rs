//! What only nginx has.

use std::fs;

use managed_daemons::{with_nginx, NginxDaemon};
use ureq::http::Request;

use super::client::send;
use super::{answer, TestServer};
use crate::support::eventually;

#[with_nginx(
    server_config("location = /hello { return 200 'from @PORT@'; }"),
    proxy("/api/", 9),
    listen("second")
)]
#[test]
fn the_attribute_starts_a_server(nginx: NginxDaemon) {
    let page = answer(&format!("{}/hello", nginx.url()));
    assert_eq!(page.body, format!("from {}", nginx.port()));
}

#[test]
fn files_are_uploaded_with_dav() {
    let nginx = NginxDaemon::builder()
        .server_config("client_max_body_size 8m; location /up/ { dav_methods PUT DELETE; create_full_put_path on; }")
        .start()
        .unwrap();
    let url = format!("{}/up/deep/file.bin", nginx.url());
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(send(Request::put(&url).body(&body[..]).unwrap()).status(), 201);
    assert_eq!(fs::read(nginx.document_root().join("up/deep/file.bin")).unwrap(), body);
    assert_eq!(send(Request::delete(&url).body(()).unwrap()).status(), 204);
    assert_eq!(answer(&url).status, 404);
}

#[test]
fn a_production_configuration_runs() {
    let text = "user www-data;\nworker_processes 3;\npid /run/nginx.pid; daemon on;\nevents { worker_connections 768; }\n\
                http { # { \n  sendfile on;\n  include mime.types;\n  map $uri $brace { default \"}\"; }\n  server {\n    listen @LISTEN@ default_server;\n    root @ROOT@;\n    \
                location / { try_files $uri $uri/ @fallback; }\n    location @fallback { return 203 '${uri}{;}\\''; }\n  }\n}\n";
    let nginx = NginxDaemon::builder().config(text).start().unwrap();
    let page = answer(&format!("{}/x", nginx.url()));
    assert_eq!((page.status, page.body.as_str()), (203, "/x{;}'"));
    // With three workers, each of the old ones has to have gone.
    for round in 0..3 {
        nginx
            .reconfigure(text.replace("203 '", &format!("203 '{round}")))
            .unwrap();
        for _ in 0..30 {
            assert_eq!(answer(&format!("{}/x", nginx.url())).body, format!("{round}/x{{;}}'"));
        }
    }
}

#[test]
fn directives_after_the_http_block_are_replaced_too() {
    let text = "events {}\nhttp { server { listen @LISTEN@; return 200 mine; } }\npid /run/nginx.pid;\ndaemon on;\n";
    let nginx = NginxDaemon::builder().config(text).start().unwrap();
    assert_eq!(answer(&nginx.url()).body, "mine");
    assert!(nginx.is_running());
}

#[test]
fn errors_name_the_line_of_the_users_configuration() {
    let text = "events {}\npid x.pid;\nhttp {\n  server { listen @LISTEN@; }\n  oops;\n}\n";
    let report = NginxDaemon::builder().config(text).start().unwrap_err().report();
    assert!(
        report.contains("unknown directive \"oops\"") && report.contains("service.conf:5"),
        "{report}"
    );
}

#[test]
fn unbalanced_braces_and_quotes_are_refused_in_nginxs_words() {
    for end in ["http {", "}", "pid x", "return 'a;", "return \"\\", "a\\"] {
        let text = format!("events {{}}\nhttp {{ server {{ listen @LISTEN@; }} }}\n{end}");
        let report = NginxDaemon::builder().config(text).start().unwrap_err().report();
        assert!(report.contains("service.conf:"), "{report}");
    }
}

#[test]
fn the_stream_module_passes_tcp_on() {
    let upstream = TestServer::start();
    let text = format!(
        "events {{}}\nstream {{ server {{ listen @LISTEN@; proxy_pass 127.0.0.1:{}; }} }}\n",
        upstream.port
    );
    for name in ["ngx_stream_module", "ngx_stream_module.so", "libnginx-mod-stream"] {
        let nginx = NginxDaemon::builder().module(name).config(&*text).start().unwrap();
        assert!(
            answer(&format!("{}/tcp", nginx.url())).body.starts_with("get /tcp"),
            "{name}"
        );
    }
    let nginx = NginxDaemon::builder().module("stream").config(text).start().unwrap();
    assert!(answer(&format!("{}/tcp", nginx.url())).body.starts_with("get /tcp"));
    nginx.reload().unwrap();
    assert!(answer(&format!("{}/tcp", nginx.url())).body.starts_with("get /tcp"));
}

#[test]
fn an_unknown_directive_is_answered_with_what_has_it() {
    let stream = "events {}\nstream { server { listen @LISTEN@; return x; } }\n";
    let report = NginxDaemon::builder().config(stream).start().unwrap_err().report();
    assert!(report.contains("`stream` comes with `module(\"stream\")`"), "{report}");
    for (text, option) in [
        (
            "more_set_headers 'X: 1';",
            "`more_set_headers` comes with `module(\"headers_more\")`",
        ),
        (
            "content_by_lua_file x;",
            "`content_by_lua_file` comes with `module(\"lua\")`",
        ),
    ] {
        let report = NginxDaemon::builder().server_config(text).start().unwrap_err().report();
        assert!(report.contains(option), "{report}");
    }
    let twice = NginxDaemon::builder().server_config("root /srv;").start();
    let report = twice.unwrap_err().report();
    assert!(report.contains("`serve` says where the root is"), "{report}");
}

#[test]
fn a_single_process_serves_and_does_not_reload() {
    let nginx = NginxDaemon::builder()
        .single_process()
        .http_config("upstream there { server 127.0.0.1:9; }")
        .start()
        .unwrap();
    assert_eq!(answer(&format!("{}/missing", nginx.url())).status, 404);
    assert!(nginx.reload().unwrap_err().report().contains("use `restart`"));
    nginx.restart().unwrap();
    assert_eq!(answer(&format!("{}/missing", nginx.url())).status, 404);
}

#[test]
fn a_worker_that_dies_is_replaced() {
    let nginx = NginxDaemon::builder()
        .server_config("location = /pid { return 200 $pid; }")
        .start()
        .unwrap();
    let url = format!("{}/pid", nginx.url());
    let worker: i32 = answer(&url).body.parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(worker), nix::sys::signal::Signal::SIGKILL).unwrap();
    eventually("replaced", || {
        let answer = super::client::agent().get(&url).call().map(super::Answer::of);
        match answer {
            Ok(answer) if answer.body != worker.to_string() => Ok(()),
            other => Err(other),
        }
    });
}

//! Requests are passed on to a server in the test or to another daemon.

use std::fs;

use ureq::http::Request;

use super::client::send;
use super::{answer, Answer, ConfigSyntax, Server, TestServer};

super::on_both!(
    requests_reach_a_server_in_the_test,
    a_large_upload_arrives_complete,
    a_server_can_proxy_another,
    a_dead_upstream_gives_a_502_or_503,
    an_upstream_cannot_inject_configuration,
);

fn requests_reach_a_server_in_the_test<S: ConfigSyntax>() {
    let upstream = TestServer::start();
    let server = Server::<S>::builder()
        .proxy("/api/", upstream.port)
        .proxy("/old/", format!("http://127.0.0.1:{}/new/", upstream.port))
        .start()
        .unwrap();
    fs::write(server.document_root().join("index.html"), "static").unwrap();
    assert_eq!(answer(&server.url()).body, "static");
    let asked = answer(&format!("{}/api/users/%C3%BC?id=1", server.url())).body;
    assert!(asked.starts_with("get /api/users/%c3%bc?id=1 http/1.1"), "{asked}");
    assert!(
        asked.contains(&format!("\nhost: 127.0.0.1:{}", server.port())),
        "{asked}"
    );
    assert!(asked.contains("\nx-forwarded-for: 127.0.0.1"), "{asked}");
    let asked = answer(&format!("{}/old/thing", server.url())).body;
    assert!(asked.starts_with("get /new/thing http/1.1"), "{asked}");
}

fn a_large_upload_arrives_complete<S: ConfigSyntax>() {
    let upstream = TestServer::start();
    let server = Server::<S>::builder().proxy("/", upstream.port).start().unwrap();
    // More than either server keeps in memory, but less than nginx refuses.
    let body: Vec<u8> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
    let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
    let request = Request::put(format!("{}/upload", server.url()))
        .body(&body[..])
        .unwrap();
    let answer = Answer::of(send(request));
    assert!(answer.body.starts_with("put /upload"), "{answer:?}");
    assert!(answer.body.ends_with(&format!("body: 900000 {sum}\n")), "{answer:?}");
}

fn a_server_can_proxy_another<S: ConfigSyntax>() {
    let behind = Server::<S>::start().unwrap();
    fs::write(behind.document_root().join("index.html"), "from behind").unwrap();
    let front = Server::<S>::builder().proxy("/", behind.url()).start().unwrap();
    assert_eq!(answer(&front.url()).body, "from behind");
    behind.wait_for_access("\"GET / ").unwrap();
    front.wait_for_access("\"GET / ").unwrap();
}

fn a_dead_upstream_gives_a_502_or_503<S: ConfigSyntax>() {
    let behind = Server::<S>::start().unwrap();
    let front = Server::<S>::builder().proxy("/", behind.port()).start().unwrap();
    behind.kill().unwrap();
    assert!([502, 503].contains(&answer(&front.url()).status));
}

fn an_upstream_cannot_inject_configuration<S: ConfigSyntax>() {
    for url in [
        "http://127.0.0.1:1;",
        "http://a b",
        "ftp://127.0.0.1",
        "http://",
        "http://x\n}",
        "http://$host",
        "http://x\"y",
        "x",
    ] {
        let error = Server::<S>::builder().proxy("/", url).start().unwrap_err().report();
        assert!(
            error.contains("option `proxy`") && error.contains("not a URL"),
            "{error}"
        );
    }
    for path in ["x", "", "/ {", "/\n", "/;", "/\"", "/$x", "/${x}", "/\0"] {
        let error = Server::<S>::builder().proxy(path, 1).start().unwrap_err().report();
        assert!(
            error.contains("option `proxy`") && error.contains("not a path"),
            "{error}"
        );
    }
}

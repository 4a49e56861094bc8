//! What is served: pages, error pages, ranges, content types, further ports. And the logs of that.

use std::fs;

use ureq::http::Request;

use super::client::{header, send};
use super::{answer, get, Answer, ConfigSyntax, Server};
use crate::support::private_root;

super::on_both!(
    an_index_page_is_served_and_a_missing_page_is_a_404,
    a_users_directory_is_served,
    content_types_and_ranges_are_served,
    extra_ports_serve_the_same_site_or_another_server,
    logs_can_be_read,
);

fn an_index_page_is_served_and_a_missing_page_is_a_404<S: ConfigSyntax>() {
    let server = Server::<S>::start().unwrap();
    fs::write(server.document_root().join("index.html"), "a page").unwrap();
    let page = |path: &str| answer(&format!("{}{path}", server.url()));
    assert_eq!(
        page("/"),
        Answer {
            status: 200,
            body: String::from("a page")
        }
    );
    assert_eq!(page("/index.html").body, "a page");
    let missing = page("/missing");
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("Not Found"), "{missing:?}");
}

fn a_users_directory_is_served<S: ConfigSyntax>() {
    let root = private_root();
    // Each of these characters has a meaning in one server's configuration.
    let dir = root.path().join("a \"dir\" $x ${y} %{z} {;} # ü'\\");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("page.txt"), "mine").unwrap();
    let server = Server::<S>::builder().serve(&dir).start().unwrap();
    assert_eq!(answer(&format!("{}/page.txt", server.url())).body, "mine");
    assert_eq!(
        fs::read_to_string(server.document_root().join("page.txt")).unwrap(),
        "mine"
    );
    server.close().unwrap();
    assert!(dir.join("page.txt").exists());
}

fn content_types_and_ranges_are_served<S: ConfigSyntax>() {
    let server = Server::<S>::start().unwrap();
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(server.document_root().join("data.wasm"), &bytes).unwrap();
    let url = format!("{}/data.wasm", server.url());
    let whole = get(&url);
    assert_eq!(header(&whole, "content-type"), "application/wasm");
    assert_eq!(header(&whole, "accept-ranges"), "bytes");
    assert_eq!(whole.into_body().read_to_vec().unwrap(), bytes);
    let range = |range: &str| send(Request::get(&url).header("Range", range).body(()).unwrap());
    let part = range("bytes=1000-1999");
    assert_eq!(part.status(), 206);
    assert_eq!(header(&part, "content-range"), "bytes 1000-1999/200000");
    assert_eq!(part.into_body().read_to_vec().unwrap(), bytes[1000..2000]);
    assert_eq!(range("bytes=-5").into_body().read_to_vec().unwrap(), bytes[199_995..]);
    assert_eq!(range("bytes=200000-").status(), 416);
}

fn extra_ports_serve_the_same_site_or_another_server<S: ConfigSyntax>() {
    let server = S::builder()
        .listen("second")
        .server("admin", S::header("X-Server", "admin @PORT:admin@ @PORT@"))
        .start()
        .unwrap();
    fs::write(server.document_root().join("index.html"), "a page").unwrap();
    let ports = [
        server.port(),
        server.port_named("second").unwrap(),
        server.port_named("admin").unwrap(),
    ];
    assert!(
        ports.iter().all(|port| *port > 0) && ports[0] != ports[1] && ports[1] != ports[2],
        "{ports:?}"
    );
    assert_eq!(server.port_named("third"), None);
    assert_eq!(server.port_url("third"), None);
    assert_eq!(header(&get(&server.url()), "x-server"), "");
    assert_eq!(answer(&server.port_url("second").unwrap()).body, "a page");
    let admin = get(&server.port_url("admin").unwrap());
    assert_eq!(header(&admin, "x-server"), format!("admin {} {}", ports[2], ports[0]));
    server.restart().unwrap();
    assert_eq!(server.port_named("second"), Some(ports[1]));
    assert_eq!(answer(&server.port_url("second").unwrap()).body, "a page");
}

fn logs_can_be_read<S: ConfigSyntax>() {
    let server = S::builder().server_config(S::forbid("/secret")).start().unwrap();
    assert_eq!(answer(&format!("{}/nowhere?a=b", server.url())).status, 404);
    let line = server.wait_for_access("/nowhere").unwrap();
    assert!(line.contains("\"GET /nowhere?a=b HTTP/1.1\" 404"), "{line}");
    assert_eq!(answer(&format!("{}/secret", server.url())).status, 403);
    server.wait_for_access("/secret").unwrap();
    // The requests of the readiness probe are not logged.
    assert_eq!(server.access_log().unwrap().lines().count(), 2);
    let errors = server.error_log().unwrap();
    assert!(
        errors.contains("access forbidden") || errors.contains("client denied"),
        "{errors}"
    );
}

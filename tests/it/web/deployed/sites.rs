//! Sites as they are deployed answer as they would there.

use std::fs;

use ureq::http::Request;

use super::super::tls::{served, trusting};
use super::super::{answer, client::header, Answer, Server, TestServer};
use super::files::DeployedSyntax;
use super::Deployment;
use crate::support::private_root;

super::super::on_both!(
    a_site_redirects_serves_and_passes_on,
    a_configuration_may_pass_requests_on_to_itself,
    an_upstream_may_stand_for_a_unix_socket,
    a_deployed_server_can_be_killed_restarted_and_loaded,
);

/// The user `ann` with the password `secret`: `printf secret | openssl passwd -apr1 -stdin`, with
/// the salt `saltsalt`.
const USERS: &str = "ann:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n";

fn a_site_redirects_serves_and_passes_on<S: DeployedSyntax>() {
    let app = TestServer::start();
    let site = Deployment::new(&[("site.conf", S::SITE), ("htpasswd", USERS)]);
    let pages = Deployment::new(&[
        ("public/index.html", "a page"),
        ("public/private/index.html", "for members"),
    ]);
    let server = S::deployed()
        .config_file(site.path("site.conf"))
        .upstream("app:3000", app.port)
        .replace_path("/var/www/shop", pages.path(""))
        .tls()
        .start()
        .unwrap();
    let (http, https) = (server.url_of("80").unwrap(), server.url_of("443").unwrap());
    assert_eq!(server.url(), http);
    assert!(http.starts_with("http://127.0.0.1:") && https.starts_with("https://127.0.0.1:"));

    let client = ureq::Agent::config_builder().max_redirects(0).build().new_agent();
    let request = Request::get(format!("{http}/x?y=1"))
        .header("Host", "shop.example")
        .body(())
        .unwrap();
    let redirect = client.run(request).unwrap();
    assert_eq!(redirect.status(), 301);
    assert!(header(&redirect, "location").starts_with("https://shop.example/x"));

    let client = trusting(&server.tls_ca().unwrap());
    assert_eq!(served(&client, &https).body, "a page");
    assert!(served(&client, &format!("{https}/api/items"))
        .body
        .starts_with("get /api/items"));
    assert_eq!(served(&client, &format!("{https}/private/")).status, 401);
    let request = Request::get(format!("{https}/private/")).header("Authorization", "Basic YW5uOnNlY3JldA==");
    let answer = Answer::of(client.run(request.body(()).unwrap()).unwrap());
    assert_eq!(answer.body, "for members");
    server.wait_for_access("GET /private/").unwrap();
    let log = server.log().unwrap();
    let change = format!("app:3000 → 127.0.0.1:{}", app.port);
    assert!(log.contains("site.conf") && log.contains(&change), "{log}");
}

fn a_configuration_may_pass_requests_on_to_itself<S: DeployedSyntax>() {
    let text = S::passing(80, "http://127.0.0.1:8080") + &S::answering(8080, 410);
    let site = Deployment::new(&[("sites-enabled/site.conf", &text)]);
    let server = S::deployed()
        .config_file(site.path("sites-enabled/site.conf"))
        .start()
        .unwrap();
    assert_eq!(answer(&server.url_of("80").unwrap()).status, 410);
    assert_eq!(answer(&server.url_of("8080").unwrap()).status, 410);
}

fn a_deployed_server_can_be_killed_restarted_and_loaded<S: DeployedSyntax>() {
    let site = Deployment::new(&[("main.conf", S::MAIN), ("sites/a.conf", &S::answering(80, 410))]);
    let root = private_root();
    let dir = root.path().join("mine");
    let builder = S::deployed().config_file(site.path("main.conf")).working_dir(&dir);
    let server = builder.start().unwrap();
    let url = server.url_of("80").unwrap();
    assert_eq!(answer(&url).status, 410);
    server.kill().unwrap();
    server.start_if_not_running().unwrap();
    server.restart().unwrap();
    assert_eq!(answer(&url).status, 410);
    server.detach().unwrap();
    let server = Server::<S>::load(&dir).unwrap();
    assert_eq!(server.url_of("80").as_deref(), Some(&*url));
    site.write("sites/a.conf", &S::answering(80, 404));
    server.reload().unwrap();
    assert_eq!(answer(&url).status, 404);
    let copies = fs::read_dir(&dir).unwrap().flatten();
    let copies = copies.filter(|entry| entry.file_name().to_string_lossy().starts_with("deployed"));
    assert_eq!(copies.count(), 1, "earlier copies are removed");
    server.destroy().unwrap();
}

fn an_upstream_may_stand_for_a_unix_socket<S: DeployedSyntax>() {
    let app = TestServer::start();
    let text = S::passing_to_socket(80, "/run/no-such-dir/app.sock");
    let site = Deployment::new(&[("site.conf", &text)]);
    let server = S::deployed()
        .config_file(site.path("site.conf"))
        .upstream("unix:/run/no-such-dir/app.sock", app.port)
        .start()
        .unwrap();
    let body = answer(&format!("{}/items?n=1", server.url())).body;
    assert!(body.starts_with("get /items?n=1"), "{body}");
}

//! TLS. Only clients that trust a daemon's own certificate authority accept its certificate.

use std::fs;
use std::path::Path;

use ureq::tls::{parse_pem, PemItem, RootCerts, TlsConfig};
use ureq::Agent;

use super::client::agent;
use super::{answer, Answer, ConfigSyntax, Server};
use crate::support::private_root;

super::on_both!(
    a_client_that_trusts_the_authority_is_served,
    the_authority_survives_restarts_and_reloads,
    a_tls_server_can_be_proxied,
    without_tls_there_is_no_authority,
);

/// A client that trusts this authority and no other.
pub(super) fn trusting(ca: &Path) -> Agent {
    let pem = fs::read(ca).unwrap();
    let certificates = parse_pem(&pem).filter_map(|item| match item.unwrap() {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let tls = TlsConfig::builder().root_certs(RootCerts::from(certificates)).build();
    Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(tls)
        .build()
        .into()
}

pub(super) fn served(agent: &Agent, url: &str) -> Answer {
    Answer::of(agent.get(url).call().unwrap())
}

fn a_client_that_trusts_the_authority_is_served<S: ConfigSyntax>() {
    let server = S::builder()
        .tls()
        .listen("second")
        .server("plain", S::header("X-Plain", "yes"))
        .start()
        .unwrap();
    fs::write(server.document_root().join("page"), "secret").unwrap();
    let client = trusting(&server.tls_ca().unwrap());
    let urls = [server.url(), server.port_url("second").unwrap()];
    for url in urls {
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        assert_eq!(served(&client, &format!("{url}/page")).body, "secret");
        let by_name = url.replace("127.0.0.1", "localhost");
        assert_eq!(served(&client, &format!("{by_name}/page")).body, "secret");
        // The usual authorities have not signed it.
        assert!(agent().get(&url).call().is_err());
    }
    let plain = format!("{}/page", server.port_url("plain").unwrap());
    assert!(plain.starts_with("http://"), "{plain}");
    assert_eq!(answer(&plain).body, "secret");
    let other = S::builder().tls().start().unwrap();
    assert!(
        client.get(other.url()).call().is_err(),
        "each has an authority of its own"
    );
}

fn the_authority_survives_restarts_and_reloads<S: ConfigSyntax>() {
    let root = private_root();
    let dir = root.path().join("mine");
    let server = S::builder().tls().working_dir(&dir).start().unwrap();
    let client = trusting(&server.tls_ca().unwrap());
    server.reload().unwrap();
    assert_eq!(served(&client, &format!("{}/missing", server.url())).status, 404);
    server.close().unwrap();
    let server = Server::<S>::load(&dir).unwrap();
    server.start_if_not_running().unwrap();
    assert_eq!(served(&client, &format!("{}/missing", server.url())).status, 404);
    server.destroy().unwrap();
}

fn a_tls_server_can_be_proxied<S: ConfigSyntax>() {
    let behind = Server::<S>::builder().tls().start().unwrap();
    fs::write(behind.document_root().join("page"), "from behind").unwrap();
    let front = Server::<S>::builder().proxy("/", behind.url()).start().unwrap();
    assert_eq!(answer(&format!("{}/page", front.url())).body, "from behind");
}

fn without_tls_there_is_no_authority<S: ConfigSyntax>() {
    let server = Server::<S>::start().unwrap();
    assert_eq!(server.tls_ca(), None);
    assert!(!server.working_dir().join("tls").exists());
}

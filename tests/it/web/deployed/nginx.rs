//! nginx's configurations as they are deployed.

use managed_daemons::NginxDaemon;

use super::super::client::{header, send};
use super::super::tls::{served, trusting};
use super::super::{answer, get};
use super::Deployment;
use crate::support::{start_failure, PATIENCE};

const MAIN: &str = "user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/no-such-dir/error.log warn;
include /etc/nginx/modules-enabled/*.conf;
events {
    worker_connections 768;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    log_format short '$status $request_uri';
    access_log /var/log/nginx/no-such-dir/access.log short buffer=32k;
    client_body_temp_path /var/lib/nginx/no-such-dir/body 1 2;
    proxy_cache_path /var/cache/nginx/no-such-dir levels=1:2 keys_zone=pages:1m;
    include conf.d/*.conf;
    include /etc/nginx/sites-enabled/*;
}
";

#[test]
fn each_port_of_the_configuration_is_one_here() {
    let site = "server {
    listen 80 default_server reuseport;
    listen [::]:80 default_server ipv6only=on;
    root html;
}
server { listen *:80; listen [::]:80; server_name other.example; return 200 other; }
server { listen 8080; listen example.com:80; server_name a.example; return 200 $server_name; }
server { listen 127.0.0.1:8081; return 200 status; }
server { listen 10.1.2.3; server_name bare.example; return 200 bare; }
";
    let files = [
        ("nginx.conf", MAIN),
        ("sites-enabled/default", site),
        ("html/index.html", "a page"),
        ("html/style.css", "body {}"),
    ];
    let deployment = Deployment::new(&files);
    let nginx = NginxDaemon::builder()
        .config_file(deployment.path("nginx.conf"))
        .start()
        .unwrap();
    let url = |port: &str| nginx.url_of(port).unwrap();
    assert_eq!(nginx.url(), url("80"));
    assert_eq!(answer(&url("80")).body, "a page");
    assert_eq!(
        header(&get(&format!("{}/style.css", url("80"))), "content-type"),
        "text/css"
    );
    assert_eq!(answer(&url("8080")).body, "a.example");
    assert_eq!(answer(&url("8081")).body, "status");
    assert_eq!(nginx.url_of("81"), None);
    for host in ["other.example", "a.example", "bare.example"] {
        let request = ureq::http::Request::get(url("80"))
            .header("Host", host)
            .body(())
            .unwrap();
        let body = send(request).body_mut().read_to_string().unwrap();
        assert!(host.starts_with(&body), "{host}: {body}");
    }
    assert!(nginx.wait_for_access("200 /style.css").unwrap().starts_with("200 "));
    let log = nginx.log().unwrap();
    let change = format!("sites-enabled/default:2: listen 80 → 127.0.0.1:{}", nginx.port());
    assert!(log.starts_with("# The configuration") && log.contains(&change), "{log}");
}

#[test]
fn a_unix_socket_is_in_the_working_directory() {
    let text = "server { listen unix:/run/app.sock; return 200 socket; }
server { listen 80; location / { proxy_pass http://unix:/run/app.sock:/; } }
";
    let site = Deployment::new(&[("site.conf", text)]);
    let nginx = NginxDaemon::builder()
        .config_file(site.path("site.conf"))
        .start()
        .unwrap();
    let socket = nginx.url_of("unix:/run/app.sock").unwrap();
    assert!(socket.starts_with("unix:/") && socket.ends_with(".sock"), "{socket}");
    assert_eq!(answer(&nginx.url()).body, "socket");
    nginx.kill().unwrap();
    nginx.start_if_not_running().unwrap();
    assert_eq!(answer(&nginx.url()).body, "socket");
}

#[test]
fn a_server_without_a_port_listens_on_port_80() {
    let site = Deployment::new(&[("site.conf", "server { return 200 $server_addr; }")]);
    let nginx = NginxDaemon::builder()
        .config_file(site.path("site.conf"))
        .start()
        .unwrap();
    assert_eq!(answer(&nginx.url_of("80").unwrap()).body, "127.0.0.1");
}

#[test]
fn a_text_can_be_one_that_is_deployed() {
    let text = "events {}\nhttp { server { listen 8080; listen [::]:8080; root www; } }\n";
    let nginx = NginxDaemon::builder().config(text).start().unwrap();
    std::fs::write(nginx.document_root().join("index.html"), "relative").unwrap();
    assert_eq!(answer(&nginx.url_of("8080").unwrap()).body, "relative");
}

#[test]
fn the_prefix_is_above_a_directory_named_conf() {
    let text = "events {}\nhttp { include more.conf; server { listen 80; root html; } }\n";
    let files = [
        ("conf/nginx.conf", text),
        ("conf/more.conf", "server { listen 81; return 200 more; }"),
        ("html/index.html", "a page"),
    ];
    let deployment = Deployment::new(&files);
    let nginx = NginxDaemon::builder()
        .config_file(deployment.path("conf/nginx.conf"))
        .start()
        .unwrap();
    assert_eq!(answer(&nginx.url_of("80").unwrap()).body, "a page");
    assert_eq!(answer(&nginx.url_of("81").unwrap()).body, "more");
}

#[test]
fn variables_and_maps_name_hosts_too() {
    let app = super::super::TestServer::start();
    let text = "map $arg_to $target { default http://app:3000; other http://other.example; }
server { listen 80; location / { set $backend app:3000; proxy_pass http://$backend; } \
location /mapped { proxy_pass $target; } }
";
    let site = Deployment::new(&[("site.conf", &text.replace("\\\n", ""))]);
    let builder = NginxDaemon::builder().config_file(site.path("site.conf"));
    let nginx = builder.upstream("app:3000", app.port).start().unwrap();
    for path in ["/plain", "/mapped"] {
        let body = answer(&format!("{}{path}", nginx.url())).body;
        assert!(body.starts_with(&format!("get {path}")), "{body}");
    }
}

/// A file that is found only once it is known which nginx runs, such as its list of media types, has
/// blocks of its own.
#[test]
fn a_missing_certificate_is_replaced_whatever_is_included_before() {
    let text = "events {}
http {
    include /etc/nginx/mime.types;
    server { listen 80; return 301 https://$host$request_uri; }
    server {
        listen 443 ssl;
        ssl_certificate /etc/letsencrypt/no-such-dir/fullchain.pem;
        ssl_certificate_key /etc/letsencrypt/no-such-dir/privkey.pem;
        return 200 secret;
    }
}
";
    let site = Deployment::new(&[("nginx.conf", text)]);
    let nginx = NginxDaemon::builder().config_file(site.path("nginx.conf")).tls();
    let nginx = nginx.start().unwrap();
    let client = trusting(&nginx.tls_ca().unwrap());
    assert_eq!(served(&client, &nginx.url_of("443").unwrap()).body, "secret");
}

#[test]
fn a_file_that_nginx_needs_is_named_where_it_is_missing() {
    for (directive, path) in [
        ("ssl_dhparam", "dhparam.pem"),
        ("ssl_trusted_certificate", "/etc/letsencrypt/chain.pem"),
        ("auth_basic_user_file", "/etc/nginx/users"),
        ("include", "/etc/nginx/snippets/missing.conf"),
    ] {
        let text = format!("server {{\n    listen 80;\n    {directive} {path};\n}}\n");
        let site = Deployment::new(&[("site.conf", &text)]);
        let report = NginxDaemon::builder()
            .config_file(site.path("site.conf"))
            .start()
            .unwrap_err()
            .report();
        let expected = format!("site.conf:3: `{directive}`: ");
        assert!(
            report.contains(&expected) && report.contains("`replace_path`"),
            "{report}"
        );
    }
}

#[test]
fn a_host_that_is_looked_up_again_needs_no_resolver_here() {
    let app = super::super::TestServer::start();
    let text = "resolver 127.0.0.11 valid=2s;
upstream handler { zone handlers 64k; server app:9000 resolve max_fails=2; }
server { listen 80; location / { proxy_pass http://handler; } }
";
    let site = Deployment::new(&[("site.conf", text)]);
    let builder = NginxDaemon::builder().config_file(site.path("site.conf"));
    let nginx = builder.upstream("app:9000", app.port).start().unwrap();
    assert!(answer(&format!("{}/x", nginx.url())).body.starts_with("get /x"));
}

#[test]
fn an_upstream_may_be_named_like_its_host() {
    let app = super::super::TestServer::start();
    let text = "upstream app { server app:3000 max_fails=2; }
server { listen 80; location / { proxy_pass http://app; } }
";
    let site = Deployment::new(&[("site.conf", text)]);
    let builder = || NginxDaemon::builder().config_file(site.path("site.conf"));
    for host in ["app", "app:3000"] {
        let nginx = builder().upstream(host, app.port).start().unwrap();
        assert!(answer(&format!("{}/x", nginx.url())).body.starts_with("get /x"));
        let log = nginx.log().unwrap();
        assert!(
            log.contains("site.conf:1: ") && !log.contains("site.conf:2: `http"),
            "{log}"
        );
    }
    let report = start_failure(builder().start());
    assert!(
        report.contains("site.conf:1: host `app` can't be found from here"),
        "{report}"
    );
}

#[test]
fn quic_is_spoken_where_nginx_has_it() {
    let text = "server {
    listen 443 quic reuseport;
    listen [::]:443 quic reuseport;
    listen 443 ssl;
    ssl_certificate /etc/letsencrypt/cert.pem;
    ssl_certificate_key /etc/letsencrypt/key.pem;
    server_name a.example;
}
server {
    listen 443 quic;
    listen 443 ssl;
    server_name b.example;
    ssl_certificate /etc/letsencrypt/cert.pem;
    ssl_certificate_key /etc/letsencrypt/key.pem;
}
";
    let site = Deployment::new(&[("site.conf", text)]);
    match NginxDaemon::builder().config_file(site.path("site.conf")).tls().start() {
        Ok(nginx) => {
            // A packet of a version that nobody speaks is answered with those that nginx speaks
            // (RFC 9000, 6): the header's first bit, version 0, and the connection's ids, swapped.
            let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            let ids = [&[8], &b"to-nginx"[..], &[8], &b"from-us!"[..]].concat();
            let mut packet = [&[0xc0, 0x1a, 0x2a, 0x3a, 0x4a], &ids[..]].concat();
            packet.resize(1200, 0);
            client.send_to(&packet, ("127.0.0.1", nginx.port())).unwrap();
            let mut answer = [0; 1500];
            let length = client.recv(&mut answer).unwrap();
            let swapped = [&[8], &b"from-us!"[..], &[8], &b"to-nginx"[..]].concat();
            assert_eq!((answer[0] & 0x80, &answer[1..5]), (0x80, &[0; 4][..]));
            assert_eq!(answer[5..23], swapped);
            assert!(answer[23..length].chunks(4).any(|version| version == [0, 0, 0, 1]));
        }
        Err(error) => {
            let report = error.report();
            assert!(report.contains("`quic`: nginx 1.25.0 and later have it"), "{report}");
        }
    }
}

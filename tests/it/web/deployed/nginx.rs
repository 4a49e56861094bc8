//! nginx's configurations as they are deployed.

use std::fs;

use managed_daemons::NginxDaemon;

use super::super::{answer, client::header, get, TestServer};
use super::Deployment;

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
    let nginx = NginxDaemon::builder().config_file(deployment.path("nginx.conf")).start().unwrap();
    let url = |port: &str| nginx.url_of(port).unwrap();
    assert_eq!(nginx.url(), url("80"));
    assert_eq!(answer(&url("80")).body, "a page");
    assert_eq!(header(&get(&format!("{}/style.css", url("80"))), "content-type"), "text/css");
    assert_eq!(answer(&url("8080")).body, "a.example");
    assert_eq!(answer(&url("8081")).body, "status");
    assert_eq!(nginx.url_of("81"), None);
    for host in ["other.example", "a.example", "bare.example"] {
        let request = ureq::http::Request::get(url("80")).header("Host", host).body(()).unwrap();
        let body = super::super::client::send(request).body_mut().read_to_string().unwrap();
        assert!(host.starts_with(&body), "{host}: {body}");
    }
    assert!(nginx.wait_for_access("200 /style.css").unwrap().starts_with("200 "));
    let log = nginx.log().unwrap();
    let change = format!("sites-enabled/default:2: listen 80 → 127.0.0.1:{}", nginx.port());
    assert!(log.starts_with("# The configuration") && log.contains(&change), "{log}");
}

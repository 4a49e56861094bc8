//! Configurations that a start script makes of templates.

use managed_daemons::{ApacheDaemon, NginxDaemon};

use super::super::{answer, TestServer};
use super::Deployment;

const NGINX: &str = "map $arg_x $y { default ${DEFAULT}; }
server {
    listen ${PORT};
    location / { proxy_pass http://$BACKEND; }
    location /y { return 200 $y; }
}
";

#[test]
fn nginxs_variables_come_from_env() {
    let app = TestServer::start();
    let site = Deployment::new(&[("site.conf.template", NGINX)]);
    let builder = || {
        NginxDaemon::builder()
            .config_file(site.path("site.conf.template"))
            .env("DEFAULT", "filled")
            .env("PORT", "8080")
    };
    let report = builder().start().unwrap_err().report();
    let expected = "site.conf.template:4: `$BACKEND` has no value here; `env(\"BACKEND\", …)` gives it one";
    assert!(report.contains(expected), "{report}");
    let nginx = builder()
        .env("BACKEND", "app:3000")
        .upstream("app:3000", app.port)
        .start()
        .unwrap();
    let url = nginx.url_of("8080").unwrap();
    assert_eq!(nginx.url(), url);
    assert_eq!(answer(&format!("{url}/y")).body, "filled");
    assert!(answer(&format!("{url}/x")).body.starts_with("get /x"));
    nginx.restart().unwrap();
    nginx.reload().unwrap();
    assert_eq!(answer(&format!("{url}/y")).body, "filled");
}

#[test]
fn apaches_variables_come_from_env() {
    let text =
        "Listen ${PORT}\nDocumentRoot ${PAGES}/public\n<Directory ${PAGES}>\nRequire all granted\n</Directory>\n";
    let site = Deployment::new(&[("site.conf", text), ("public/index.html", "a page")]);
    let builder = || ApacheDaemon::builder().config_file(site.path("site.conf"));
    let report = builder().start().unwrap_err().report();
    let expected = "site.conf:1: `Listen ${PORT}` has no value here; `env(\"PORT\", …)` gives it one";
    assert!(report.contains(expected), "{report}");
    let pages = site.path("").display().to_string();
    let apache = builder()
        .env("PORT", "8080")
        .env("PAGES", pages.trim_end_matches('/'))
        .start()
        .unwrap();
    assert_eq!(answer(&apache.url()).body, "a page");
    assert_eq!(apache.url_of("8080"), Some(apache.url()));
}

#[test]
fn a_template_that_only_a_start_script_can_fill_in_is_named() {
    for (text, place, placeholder) in [
        (
            "server {\n    listen 80;\n    server_name {{ domain }};\n}\n",
            3,
            "{{ domain }}",
        ),
        (
            "server {\n    listen 80;\n{% if tls %}\n{% endif %}\n}\n",
            3,
            "{% if tls %}",
        ),
    ] {
        let site = Deployment::new(&[("site.conf", text)]);
        let report = NginxDaemon::builder()
            .config_file(site.path("site.conf"))
            .start()
            .unwrap_err()
            .report();
        let expected = format!("site.conf:{place}: `{placeholder}`: the file is a template");
        assert!(report.contains(&expected), "{report}");
    }
    let site = Deployment::new(&[(
        "site.conf",
        "server {\n    listen 80;\n    location / { return 200 ${WORD}; }\n}\n",
    )]);
    let report = NginxDaemon::builder()
        .config_file(site.path("site.conf"))
        .start()
        .unwrap_err()
        .report();
    assert!(report.contains("site.conf:3: `${WORD}` has no value here"), "{report}");
}

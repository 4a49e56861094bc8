//! Apache's configurations as they are deployed.

use managed_daemons::ApacheDaemon;

use super::super::client::{header, send};
use super::super::{answer, get};
use super::Deployment;

const MAIN: &str = "Define SRVROOT \"/usr/local/apache2\"
ServerRoot \"${SRVROOT}\"
Listen 80
Listen [::]:80
<IfModule ssl_module>
    Listen 443
</IfModule>
<IfDefine NO_SUCH>
    Include conf/extra/missing.conf
</IfDefine>
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule log_config_module modules/mod_log_config.so
LoadModule mime_module modules/mod_mime.so
LoadModule dir_module modules/mod_dir.so
LoadModule headers_module modules/mod_headers.so
LoadModule unixd_module modules/mod_unixd.so
User daemon
Group daemon
PidFile /run/no-such-dir/httpd.pid
Mutex file:/run/no-such-dir default
ErrorLog logs/no-such-dir/error_log
LogFormat \"%>s %U\" short
CustomLog \"|/usr/sbin/rotatelogs /var/log/access 86400\" \\
    short
TypesConfig conf/mime.types
DocumentRoot \"${SRVROOT}/htdocs\"
<Directory \"${SRVROOT}/htdocs\">
    Require all granted
</Directory>
Include conf/extra/*.conf
";

#[test]
fn a_main_configuration_runs_with_its_server_root() {
    let host = "<VirtualHost 10.1.2.3:80>\n    ServerName other.example\n    \
                Header always set X-Host other\n    DocumentRoot htdocs\n</VirtualHost>\n";
    let main_host = "<VirtualHost *:80>\n    DocumentRoot htdocs\n</VirtualHost>\n";
    let files = [
        ("conf/httpd.conf", MAIN),
        ("conf/extra/10-main.conf", main_host),
        ("conf/extra/20-other.conf", host),
        ("htdocs/index.html", "a page"),
        ("htdocs/style.css", "body {}"),
    ];
    let deployment = Deployment::new(&files);
    let apache = ApacheDaemon::builder()
        .config_file(deployment.path("conf/httpd.conf"))
        .start()
        .unwrap();
    let url = apache.url_of("80").unwrap();
    assert_eq!(answer(&url).body, "a page");
    assert_eq!(header(&get(&format!("{url}/style.css")), "content-type"), "text/css");
    let request = ureq::http::Request::get(&url)
        .header("Host", "other.example")
        .body(())
        .unwrap();
    assert_eq!(header(&send(request), "x-host"), "other");
    assert_eq!(apache.wait_for_access("/style.css").unwrap(), "200 /style.css");
    let log = apache.log().unwrap();
    let change = format!("httpd.conf:3: Listen 80 → 127.0.0.1:{}", apache.port());
    assert!(log.starts_with("# The configuration") && log.contains(&change), "{log}");
    assert!(!log.contains("is already loaded"), "{log}");
}

#[test]
fn a_rewrite_rule_and_a_balancer_pass_requests_on() {
    let app = super::super::TestServer::start();
    let text = "<VirtualHost *:8080>
    RewriteEngine On
    RewriteRule ^/rewritten(.*) http://app:3000/rewritten$1 [P,L]
    RewriteRule ^/elsewhere http://no-such-host.invalid/ [R,L]
    <Proxy balancer://cluster>
        BalancerMember http://app:3000
    </Proxy>
    ProxyPass /balanced balancer://cluster/balanced
</VirtualHost>
";
    let site = Deployment::new(&[("site.conf", text)]);
    let builder = ApacheDaemon::builder()
        .config_file(site.path("site.conf"))
        .upstream("app", app.port);
    let modules = ["rewrite", "proxy_http", "lbmethod_byrequests"];
    let apache = modules
        .iter()
        .fold(builder, |builder, name| builder.module(*name))
        .start()
        .unwrap();
    for path in ["/rewritten/x", "/balanced/x"] {
        let body = answer(&format!("{}{path}", apache.url_of("8080").unwrap())).body;
        assert!(body.starts_with(&format!("get {path}")), "{body}");
    }
}

#[test]
fn a_port_that_cannot_be_read_is_named() {
    let site = Deployment::new(&[("site.conf", "\nListen ${PORT}\n")]);
    let report = ApacheDaemon::builder()
        .config_file(site.path("site.conf"))
        .start()
        .unwrap_err()
        .report();
    assert!(
        report.contains("site.conf:2: `Listen ${PORT}` has no value"),
        "{report}"
    );
}

#[test]
fn a_text_can_be_one_that_is_deployed() {
    let text = "Listen 8080\nListen [::]:8080\nDocumentRoot www\n<Directory www>\nRequire all granted\n</Directory>\n";
    let apache = ApacheDaemon::builder().config(text).start().unwrap();
    std::fs::write(apache.document_root().join("index.html"), "relative").unwrap();
    assert_eq!(answer(&apache.url_of("8080").unwrap()).body, "relative");
}

#[test]
fn the_reason_of_a_failed_configuration_is_named() {
    let text = "Listen 80\nLoadModule session_module modules/mod_session.so\n\
                LoadModule auth_form_module modules/mod_auth_form.so\n\
                LoadModule authn_core_module modules/mod_authn_core.so\n\
                LoadModule authz_core_module modules/mod_authz_core.so\n";
    let site = Deployment::new(&[("site.conf", text)]);
    let builder = || ApacheDaemon::builder().config_file(site.path("site.conf"));
    let report = builder().start().unwrap_err().report();
    assert!(report.contains("You must load mod_request"), "{report}");
    assert!(report.contains("`module(\"request\")` loads it"), "{report}");
    assert!(builder().module("request").start().unwrap().is_running());
}

//! Modules that a configuration loads, which are fetched where the server lacks them.

use std::path::Path;

use managed_daemons::{ApacheDaemon, NginxDaemon};

use super::super::client::header;
use super::super::{answer, get};
use super::Deployment;
use crate::support::{has_apt, is_full_run};

#[test]
fn apache_gets_the_php_that_its_configuration_loads() {
    if !is_full_run() {
        return;
    }
    let main = "ServerRoot /etc/apache2
Listen 80
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf
DocumentRoot /var/www/html
";
    let load = |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
    let php = "# Depends: mpm_prefork\nLoadModule php_module /usr/lib/apache2/modules/libphp.so\n";
    let handler = "<FilesMatch \".+\\.php$\">\n    SetHandler application/x-httpd-php\n</FilesMatch>\n";
    let limits = "StartServers 2\nMinSpareServers 1\nMaxRequestWorkers 20\n";
    let files = [
        ("apache2.conf", main),
        ("mods-enabled/authz_core.load", &load("authz_core")),
        ("mods-enabled/mpm_prefork.conf", limits),
        ("mods-enabled/mpm_prefork.load", &load("mpm_prefork")),
        ("mods-enabled/php.conf", handler),
        ("mods-enabled/php.load", php),
        (
            "www/page.php",
            "<?= php_sapi_name(), ' ', ctype_digit('7') ? 6 * 7 : 0 ?>",
        ),
    ];
    let deployment = Deployment::new(&files);
    let apache = ApacheDaemon::builder()
        .config_file(deployment.path("apache2.conf"))
        .replace_path("/var/www/html", deployment.path("www"))
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(answer(&format!("{}/page.php", apache.url())).body, "apache2handler 42");
}

#[test]
fn nginx_gets_a_module_that_its_configuration_loads() {
    if !has_apt() {
        return;
    }
    let main = "load_module /usr/share/nginx/modules/ngx_http_headers_more_filter_module.so;
events {}
http { server { listen 80; more_set_headers 'X-More: yes'; return 204; } }
";
    let deployment = Deployment::new(&[("nginx.conf", main)]);
    let nginx = NginxDaemon::builder()
        .config_file(deployment.path("nginx.conf"))
        .start()
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(header(&get(&nginx.url()), "x-more"), "yes");
}

#[test]
fn a_module_that_nobody_has_is_named_with_its_line() {
    let expect = |error: managed_daemons::ManagedDaemonError, module: &str, file: &Path, line: usize| {
        let report = error.report();
        let wanted = format!("module `{module}` ({}:{line})", file.display());
        assert!(report.contains(&wanted), "no {wanted:?} in {report}");
    };
    let httpd = "Listen 80\n\nLoadModule unheard_of_module modules/mod_unheard_of.so\n";
    let nginx = "events {}\nload_module modules/ngx_unheard_of_module.so;\nhttp { server { listen 80; } }\n";
    let deployment = Deployment::new(&[("httpd.conf", httpd), ("nginx.conf", nginx)]);
    let path = deployment.path("httpd.conf");
    let error = ApacheDaemon::builder().config_file(&path).start().unwrap_err();
    expect(error, "unheard_of", &path, 3);
    let path = deployment.path("nginx.conf");
    let error = NginxDaemon::builder().config_file(&path).start().unwrap_err();
    expect(error, "ngx_unheard_of_module.so", &path, 2);
}

//! The files of a deployment, and what nginx's and Apache's are.

use std::fs;
use std::path::PathBuf;

use managed_daemons::{ApacheServer, Builder, NginxServer, Web};
use tempfile::TempDir;

use super::super::{ConfigSyntax, Server};
use crate::support::private_root;

/// A directory with files, as a repository has them for a deployment.
pub(super) struct Deployment(TempDir);

impl Deployment {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let deployment = Self(private_root());
        for (name, text) in files {
            deployment.write(name, text);
        }
        deployment
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// What the two servers' files say differently.
pub(super) trait DeployedSyntax: ConfigSyntax {
    /// A site that redirects to TLS, and there serves files, passes requests on, and has a page for
    /// users alone.
    const SITE: &'static str;

    /// A main configuration that includes `sites/*.conf` and listens on port 80.
    const MAIN: &'static str;

    /// A file that others include.
    const PART: &'static str;

    /// A line that is no configuration, and a word that the server's complaint has.
    const BROKEN: (&'static str, &'static str);

    /// The directive that includes files.
    const INCLUDE: &'static str;

    /// A line that includes a file, or those of a pattern.
    fn including(file: &str) -> String;

    /// A server on a port that answers with a status.
    fn answering(port: u16, status: u16) -> String;

    /// Passes everything on to this URL.
    fn passing(port: u16, url: &str) -> String;

    /// Passes everything on to a Unix socket.
    fn passing_to_socket(port: u16, path: &str) -> String;

    /// A server on port 80 that serves a directory, which is in its second line.
    fn serving(dir: &str) -> String;

    /// A builder with the modules for these.
    fn deployed() -> Builder<Web<Self>>;
}

impl DeployedSyntax for NginxServer {
    const SITE: &'static str = "upstream backend {
    server app:3000 max_fails=3;
    keepalive 4;
}
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    server_name shop.example;
    return 301 https://$host$request_uri;
}
server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name shop.example;
    ssl_certificate /etc/letsencrypt/live/shop.example/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/shop.example/privkey.pem;
    access_log /var/log/nginx/shop/access.log main;
    error_log /var/log/nginx/shop/error.log;
    root /var/www/shop/public;
    location /api/ {
        proxy_pass http://backend;
    }
    location /private/ {
        auth_basic \"Members\";
        auth_basic_user_file /etc/nginx/htpasswd;
    }
}
";
    const MAIN: &'static str = "user nginx;\nevents {}\nhttp {\n    include sites/*.conf;\n}\n";

    const PART: &'static str = "client_max_body_size 5m;\n";

    const BROKEN: (&'static str, &'static str) = ("server_tokens nonsense;", "nonsense");

    const INCLUDE: &'static str = "include";

    fn including(file: &str) -> String {
        format!("include {file};\n")
    }

    fn answering(port: u16, status: u16) -> String {
        format!("server {{ listen {port}; return {status}; }}\n")
    }

    fn passing(port: u16, url: &str) -> String {
        format!("server {{ listen {port}; location / {{ proxy_pass {url}; }} }}\n")
    }

    fn passing_to_socket(port: u16, path: &str) -> String {
        Self::passing(port, &format!("http://unix:{path}"))
    }

    fn serving(dir: &str) -> String {
        format!("server {{ listen 80;\nroot {dir};\n}}\n")
    }

    fn deployed() -> Builder<Web<Self>> {
        Server::<Self>::builder()
    }
}

impl DeployedSyntax for ApacheServer {
    const SITE: &'static str = "<VirtualHost *:80 [::]:80>
    ServerName shop.example
    RewriteEngine On
    RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} \\
        [L,R=301]
</VirtualHost>
<VirtualHost _default_:443>
    ServerName shop.example
    SSLEngine on
    SSLCertificateFile /etc/letsencrypt/live/shop.example/cert.pem
    SSLCertificateKeyFile \"/etc/letsencrypt/live/shop.example/privkey.pem\"
    SSLCertificateChainFile /etc/letsencrypt/live/shop.example/chain.pem
    CustomLog ${APACHE_LOG_DIR}/shop/access.log combined
    ErrorLog ${APACHE_LOG_DIR}/shop/error.log
    DocumentRoot /var/www/shop/public
    <Directory /var/www/shop/public>
        Require all granted
    </Directory>
    ProxyPass /api/ http://app:3000/api/
    ProxyPassReverse /api/ http://app:3000/api/
    <Location /private/>
        AuthType Basic
        AuthName Members
        AuthUserFile /etc/apache2/htpasswd
        Require valid-user
    </Location>
</VirtualHost>
";
    const MAIN: &'static str = "ServerRoot /etc/apache2
User ${APACHE_RUN_USER}
Listen 80
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LoadModule mpm_event_module modules/mod_mpm_event.so
IncludeOptional sites/*.conf
";

    const PART: &'static str = "LimitRequestBody 5000000\n";

    const BROKEN: (&'static str, &'static str) = ("LimitRequestBody", "LimitRequestBody");

    const INCLUDE: &'static str = "Include";

    fn including(file: &str) -> String {
        format!("Include {file}\n")
    }

    fn answering(port: u16, status: u16) -> String {
        let listen = if port == 80 {
            String::new()
        } else {
            format!("Listen {port}\n")
        };
        format!("{listen}<VirtualHost *:{port}>\nRedirect {status} /\n</VirtualHost>\n")
    }

    fn passing(port: u16, url: &str) -> String {
        let listen = if port == 80 {
            String::new()
        } else {
            format!("Listen {port}\n")
        };
        format!("{listen}<VirtualHost *:{port}>\nProxyPass / {url}/\n</VirtualHost>\n")
    }

    fn passing_to_socket(port: u16, path: &str) -> String {
        Self::passing(port, &format!("unix:{path}|http://localhost"))
    }

    fn serving(dir: &str) -> String {
        format!("<VirtualHost *:80>\nDocumentRoot {dir}\n</VirtualHost>\n")
    }

    fn deployed() -> Builder<Web<Self>> {
        Server::<Self>::builder().module("rewrite").module("proxy_http")
    }
}

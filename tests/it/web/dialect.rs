//! What nginx and Apache write differently.

use managed_daemons::{Apache, Builder, ManagedDaemon, Nginx, WebServer};

pub(super) trait Dialect: WebServer {
    /// A builder that loads the modules for the configurations below.
    fn builder() -> Builder<Self> {
        ManagedDaemon::<Self>::builder()
    }

    /// A line that adds a header to each answer.
    fn header(name: &str, value: &str) -> String;

    /// A whole configuration around that of a server.
    fn whole(server: &str) -> String;

    /// Lines that forbid a path.
    fn forbid(path: &str) -> String;
}

impl Dialect for Nginx {
    fn header(name: &str, value: &str) -> String {
        format!("add_header {name} \"{value}\" always;")
    }

    fn whole(server: &str) -> String {
        format!("events {{}}\nhttp {{\n  server {{\n    listen @LISTEN@;\n    root www;\n    {server}\n  }}\n}}\n")
    }

    fn forbid(path: &str) -> String {
        format!("location {path} {{ deny all; }}")
    }
}

impl Dialect for Apache {
    fn builder() -> Builder<Self> {
        ManagedDaemon::<Self>::builder().module("headers")
    }

    fn header(name: &str, value: &str) -> String {
        format!("Header always set {name} \"{value}\"")
    }

    fn whole(server: &str) -> String {
        format!("Listen @LISTEN@\nServerName localhost\nDocumentRoot www\n{server}\n")
    }

    fn forbid(path: &str) -> String {
        format!("<Location \"{path}\">\nRequire all denied\n</Location>")
    }
}

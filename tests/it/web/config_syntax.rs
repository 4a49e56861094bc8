//! What nginx and Apache write differently.

use managed_daemons::{ApacheServer, Builder, ManagedDaemon, NginxServer, Web, WebServer};

/// The handle of the server `S`.
pub(super) type Server<S> = ManagedDaemon<Web<S>>;

pub(super) trait ConfigSyntax: WebServer {
    /// A builder that loads the modules for the configurations below.
    fn builder() -> Builder<Web<Self>> {
        Server::<Self>::builder()
    }

    /// A line that adds a header to each answer.
    fn header(name: &str, value: &str) -> String;

    /// A whole configuration around that of a server.
    fn whole(server: &str) -> String;

    /// Lines that forbid a path.
    fn forbid(path: &str) -> String;
}

impl ConfigSyntax for NginxServer {
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

impl ConfigSyntax for ApacheServer {
    fn builder() -> Builder<Web<Self>> {
        Server::<Self>::builder().module("headers")
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

//! MariaDB and MySQL.

use managed_daemons::{Flavor, Result};
use managed_daemons_tests::{mariadb, mysql, Server};

use super::user_dir;

pub(crate) fn churn_mariadb() -> Result<()> {
    churn(mariadb)
}

pub(crate) fn churn_mysql() -> Result<()> {
    churn(mysql)
}

/// Takes servers through their whole life, over and over.
fn churn(server: Server) -> Result<()> {
    // MariaDB makes templates fast, and they are small: each process makes one of its own.
    let sql = match server().start() {
        Ok(daemon) if daemon.flavor() == Flavor::MariaDb => {
            format!("CREATE TABLE t_{} (n INT)", std::process::id())
        }
        _ => String::from("CREATE TABLE t (n INT)"),
    };
    loop {
        drop(server().start());
        drop(server().init_sql(&*sql).start());
        let kept = server()
            .working_dir(user_dir())
            .username("app")
            .password("pass")
            .start();
        if let Ok(daemon) = kept {
            let _ = daemon.restart();
        }
    }
}

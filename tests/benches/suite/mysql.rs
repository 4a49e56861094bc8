//! The suite of MySQL and MariaDB.

use crate::runner::Runner;
use crate::server::Server;
use crate::suite::{without_server, Contestant, Promise, Suite, Way};

/// Twenty tables, each made by a migration; a test uses the last one.
pub(crate) const MIGRATIONS: Suite = Suite {
    name: "mysql-migrations",
    title: "100 MySQL tests, 20 migrations",
    tests: 100,
    all: &[
        Contestant {
            way: Way::Sqlx,
            binary: "mysql_migrations_sqlx",
            server: Some(Server::MySql),
            head: "use suites::{count_mysql_rows, Outcome};\n",
            test: r#"
#[sqlx::test(migrations = "./twenty")]
async fn test_NUMBER(pool: sqlx::MySqlPool) -> Outcome {
    count_mysql_rows(&pool).await
}
"#,
        },
        Contestant {
            way: Way::Shared,
            binary: "mysql_migrations_shared",
            server: None,
            head: r#"
use managed_daemons::{with_mysql_database, MySqlDatabase};
use suites::{count_mysql_rows, Outcome};

async fn migrate(database: &MySqlDatabase) -> Result<(), sqlx::migrate::MigrateError> {
    let pool = sqlx::MySqlPool::connect(&database.url()).await?;
    sqlx::migrate!("./twenty").run(&pool).await
}
"#,
            test: r#"
#[with_mysql_database(prepare = migrate)]
#[tokio::test]
async fn test_NUMBER(database: MySqlDatabase) -> Outcome {
    let pool = sqlx::MySqlPool::connect(&database.url()).await?;
    count_mysql_rows(&pool).await
}
"#,
        },
        without_server!("mysql_migrations_without"),
    ],
    promises: &[Promise {
        compared_with: Way::Sqlx,
        at_most: 1.0 / 3.0,
        runners: &Runner::ALL,
    }],
};

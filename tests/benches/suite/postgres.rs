//! Suites of PostgreSQL.

use crate::runner::Runner;
use crate::server::Server;
use crate::suite::{without_server, Contestant, Promise, Suite, Way};

const PROMISES: &[Promise] = &[
    Promise {
        compared_with: Way::Each,
        at_most: 0.5,
        runners: &Runner::ALL,
    },
    Promise {
        compared_with: Way::Sqlx,
        at_most: 1.0 / 5.0,
        runners: &Runner::ALL,
    },
];

/// Twenty tables, each made by a migration; a test uses the last one.
pub(crate) const MIGRATIONS: Suite = Suite {
    name: "postgres-migrations",
    title: "100 PostgreSQL tests, 20 migrations",
    tests: 100,
    all: &[
        Contestant {
            way: Way::Each,
            binary: "postgres_migrations_each",
            server: None,
            head: r#"
use managed_daemons::{with_postgres, PostgresDaemon};
use suites::{count_rows, Outcome};
"#,
            test: r#"
#[with_postgres]
#[tokio::test]
async fn test_NUMBER(postgres: PostgresDaemon) -> Outcome {
    let pool = sqlx::PgPool::connect(&postgres.url()).await?;
    sqlx::migrate!("./twenty").run(&pool).await?;
    count_rows(&pool).await
}
"#,
        },
        Contestant {
            way: Way::Sqlx,
            binary: "postgres_migrations_sqlx",
            server: Some(Server::Postgres),
            head: "use suites::{count_rows, Outcome};\n",
            test: r#"
#[sqlx::test(migrations = "./twenty")]
async fn test_NUMBER(pool: sqlx::PgPool) -> Outcome {
    count_rows(&pool).await
}
"#,
        },
        Contestant {
            way: Way::Shared,
            binary: "postgres_migrations_shared",
            server: None,
            head: r#"
use managed_daemons::{with_postgres_database, PostgresDatabase};
use suites::{count_rows, Outcome};

async fn migrate(database: &PostgresDatabase) -> Result<(), sqlx::migrate::MigrateError> {
    let pool = sqlx::PgPool::connect(&database.url()).await?;
    sqlx::migrate!("./twenty").run(&pool).await
}
"#,
            test: r#"
#[with_postgres_database(prepare = migrate)]
#[tokio::test]
async fn test_NUMBER(database: PostgresDatabase) -> Outcome {
    let pool = sqlx::PgPool::connect(&database.url()).await?;
    count_rows(&pool).await
}
"#,
        },
        without_server!("postgres_migrations_without"),
    ],
    promises: PROMISES,
};

/// One table, and one row for each test.
pub(crate) const INSERTS: Suite = Suite {
    name: "postgres-inserts",
    title: "200 PostgreSQL tests, an insert each",
    tests: 200,
    all: &[
        Contestant {
            way: Way::Each,
            binary: "postgres_inserts_each",
            server: None,
            head: r#"
use managed_daemons::{with_postgres, PostgresDaemon};
use suites::{insert_row, Outcome};
"#,
            test: r#"
#[with_postgres(init_dir = "one")]
#[tokio::test]
async fn test_NUMBER(postgres: PostgresDaemon) -> Outcome {
    let pool = sqlx::PgPool::connect(&postgres.url()).await?;
    insert_row(&pool).await
}
"#,
        },
        Contestant {
            way: Way::Sqlx,
            binary: "postgres_inserts_sqlx",
            server: Some(Server::Postgres),
            head: "use suites::{insert_row, Outcome};\n",
            test: r#"
#[sqlx::test(migrations = "./one")]
async fn test_NUMBER(pool: sqlx::PgPool) -> Outcome {
    insert_row(&pool).await
}
"#,
        },
        Contestant {
            way: Way::Shared,
            binary: "postgres_inserts_shared",
            server: None,
            head: r#"
use managed_daemons::{with_postgres_database, PostgresDatabase};
use suites::{insert_row, Outcome};
"#,
            test: r#"
#[with_postgres_database(init_dir = "one")]
#[tokio::test]
async fn test_NUMBER(database: PostgresDatabase) -> Outcome {
    let pool = sqlx::PgPool::connect(&database.url()).await?;
    insert_row(&pool).await
}
"#,
        },
        without_server!("postgres_inserts_without"),
    ],
    promises: PROMISES,
};

//! What the diffs of "Coming from another tool" add, as code that compiles and passes; around it, stand-ins for the two
//! projects. `.ci/commands` looks for each line that a diff adds in this file.

mod unleash_edge {
    use managed_daemons::{RedisDaemon, with_redis};
    use std::time::Duration;

    const TEST_TIMEOUT: Duration = Duration::from_secs(1);

    struct RedisPersister(redis::Client);

    impl RedisPersister {
        fn new(url: &str, _read: Duration, _write: Duration) -> redis::RedisResult<Self> {
            redis::Client::open(url).map(Self)
        }
    }

    #[with_redis]
    #[tokio::test]
    async fn redis_returns_error_when_an_error_occurs(redis: RedisDaemon) {
        let redis_persister = RedisPersister::new(&redis.url(), TEST_TIMEOUT, TEST_TIMEOUT).unwrap();
        assert!(redis_persister.0.get_connection().is_ok());
        // Stop the redis node to simulate an error
        redis.stop().expect("Failed to stop redis");
        assert!(redis_persister.0.get_connection().is_err());
    }
}

mod zero_to_production {
    use managed_daemons::{PostgresDatabase, RedisDaemon};
    use sqlx::PgPool;
    use sqlx::migrate::MigrateError;

    struct TestApp {
        // The database and Redis go with them.
        _database: PostgresDatabase,
        _redis: RedisDaemon,
        settings: Settings,
    }

    struct Secret(String);

    impl Secret {
        fn new(text: String) -> Self {
            Self(text)
        }
    }

    struct DatabaseSettings {
        host: String,
        port: u16,
    }

    struct Settings {
        database: DatabaseSettings,
        redis_uri: Secret,
    }

    async fn spawn_app() -> TestApp {
        let database = PostgresDatabase::builder()
            .prepare(migrate)
            .start_async()
            .await
            .expect("Failed to start PostgreSQL.");
        let redis = RedisDaemon::start().expect("Failed to start Redis.");
        let mut c = Settings {
            database: DatabaseSettings { host: String::new(), port: 0 },
            redis_uri: Secret::new(String::new()),
        };
        c.database.host = database.host().to_owned();
        c.database.port = database.port();
        c.redis_uri = Secret::new(redis.url());
        TestApp { _database: database, _redis: redis, settings: c }
    }

    async fn migrate(database: &PostgresDatabase) -> Result<(), MigrateError> {
        let pool = PgPool::connect(&database.url()).await?;
        sqlx::migrate!().run(&pool).await
    }

    #[tokio::test]
    async fn knows_its_servers() {
        let app = spawn_app().await;
        assert_eq!(app.settings.database.host, "127.0.0.1");
        assert_ne!(app.settings.database.port, 0);
        assert!(redis::Client::open(app.settings.redis_uri.0).unwrap().get_connection().is_ok());
    }
}

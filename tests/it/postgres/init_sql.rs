//! SQL that fills a new database.

use std::fs;
use std::path::Path;

use super::{builder, connect, refusal, runtime, start, value};

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, sql) in files {
        fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        fs::write(dir.join(name), sql).unwrap();
    }
}

#[test]
fn texts_files_and_directories_run_in_order() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("file.sql", "\u{feff}INSERT INTO t VALUES ('file')"),
            ("migrations/10_last.sql", "INSERT INTO t VALUES ('ten')"),
            ("migrations/9_first.sql", "INSERT INTO t VALUES ('nine')"),
        ],
    );
    let daemon = start(
        builder()
            .init_sql("CREATE TABLE t (word text, at serial)")
            .init_file(dir.path().join("file.sql"))
            .init_dir(dir.path().join("migrations"))
            .init_sql("INSERT INTO t VALUES ('text')"),
    );
    assert_eq!(
        value(&daemon, "SELECT string_agg(word, ' ' ORDER BY at) FROM t"),
        "file nine ten text"
    );
}

#[test]
fn a_directory_of_sqlx_migrations_gives_what_sqlx_gives() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            (
                "20240101000000_users.up.sql",
                "CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL);\n\
                 CREATE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN upper($1);\n\nEND;\n\n$$;",
            ),
            ("20240101000000_users.down.sql", "DROP TABLE users"),
            ("20240102000000_mail.up.sql", "ALTER TABLE users ADD mail text UNIQUE"),
            ("20240102000000_mail.down.sql", "ALTER TABLE users DROP mail"),
        ],
    );
    let ours = start(builder().init_dir(dir.path()));
    let theirs = start(builder());
    runtime().block_on(async {
        let pool = sqlx::PgPool::connect(&theirs.url()).await.unwrap();
        sqlx::migrate::Migrator::new(dir.path())
            .await
            .unwrap()
            .run(&pool)
            .await
            .unwrap();
    });
    let columns = "SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ',' ORDER BY table_name, column_name) \
                   FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";
    assert_eq!(value(&ours, columns), value(&theirs, columns));
    assert_eq!(value(&ours, "SELECT shout('x')"), "X");
}

#[test]
fn a_directory_of_refinery_migrations_runs_in_order() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("V1__make.sql", "CREATE TABLE t (a int)"),
            ("V2__add.sql", "ALTER TABLE t ADD b int"),
            ("V10__drop.sql", "ALTER TABLE t DROP a"),
            ("mod.rs", "not SQL"),
        ],
    );
    let daemon = start(builder().init_dir(dir.path()));
    let columns = "SELECT string_agg(column_name::text, ',') FROM information_schema.columns WHERE table_name = 't'";
    assert_eq!(value(&daemon, columns), "b");
}

#[test]
fn an_error_is_reported_with_file_and_line_in_the_servers_words() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("1_bad.sql", "CREATE TABLE ok ();\n\nCREATE TABEL oops ();\n")],
    );
    let report = refusal(builder().init_dir(dir.path()));
    assert!(report.contains("1_bad.sql`, line 3"), "{report}");
    assert!(report.contains("42601"), "{report}");
    let report = refusal(builder().init_sql("COPY pg_class FROM STDIN"));
    assert!(report.contains("no data to copy"), "{report}");
}

#[test]
fn missing_files_are_named() {
    let report = refusal(builder().init_file("/no/such/file.sql"));
    assert!(report.contains("/no/such/file.sql"), "{report}");
    let report = refusal(builder().init_dir("/no/such/directory"));
    assert!(report.contains("/no/such/directory"), "{report}");
    let empty = tempfile::tempdir().unwrap();
    let report = refusal(builder().init_dir(empty.path()));
    assert!(report.contains("holds no `.sql` file"), "{report}");
}

#[test]
fn changed_sql_makes_another_template() {
    for text in ["one", "two", "one"] {
        let daemon = start(builder().init_sql(format!("CREATE TABLE t AS SELECT '{text}'::text AS word")));
        assert_eq!(value(&daemon, "SELECT word FROM t"), text);
    }
}

#[test]
fn copies_of_a_template_share_nothing() {
    let make = || start(builder().init_sql("CREATE TABLE shared (n int)"));
    let (one, two) = (make(), make());
    one.query("INSERT INTO shared VALUES (1)").unwrap();
    assert_eq!(value(&two, "SELECT count(*) FROM shared"), "0");
    assert_ne!(one.password(), two.password());
}

/// The files of databases that nobody has used are copies of one database.
#[test]
fn every_database_of_a_new_server_is_sound() {
    const HORIZON: &str = "SELECT bool_and(age(c.relfrozenxid) <= age(d.datfrozenxid)
            AND mxid_age(c.relminmxid) <= mxid_age(d.datminmxid))
        FROM pg_class c, pg_database d
        WHERE d.datname = current_database() AND c.relkind IN ('r', 't', 'm')";
    const INDEXES: &str = "SELECT count(bt_index_check(c.oid, true)) > 100
        FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am a ON a.oid = c.relam
        WHERE a.amname = 'btree' AND i.indisvalid AND c.relpersistence = 'p'";
    let daemon = start(builder().database("app").extra_database("audit"));
    let has_amcheck = value(
        &daemon,
        "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'",
    ) == "1";
    daemon
        .query("CREATE DATABASE bare TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
        .unwrap();
    daemon.query("CREATE DATABASE plain").unwrap();
    runtime().block_on(async {
        for name in ["app", "audit", "postgres", "template1", "bare", "plain"] {
            let client = connect(&daemon.database_url(name)).await.unwrap();
            let holds: bool = client.query_one(HORIZON, &[]).await.unwrap().get(0);
            assert!(holds, "{name}");
            if has_amcheck {
                client.batch_execute("CREATE EXTENSION amcheck").await.unwrap();
                let holds: bool = client.query_one(INDEXES, &[]).await.unwrap().get(0);
                assert!(holds, "{name}");
            }
            client.batch_execute(&format!("REINDEX SYSTEM {name}")).await.unwrap();
            // This would fail if a table made in another database were in this one.
            client
                .batch_execute("CREATE TABLE t (id serial PRIMARY KEY)")
                .await
                .unwrap();
            client.batch_execute("VACUUM (FULL, FREEZE, ANALYZE)").await.unwrap();
        }
    });
    assert_eq!(value(&daemon, "SELECT count(*) FROM pg_class WHERE relname = 't'"), "1");
}

#[test]
fn extensions_are_created_before_the_sql_runs() {
    // Every installation has this extension.
    let daemon = start(builder().extension("plpgsql").init_sql("DO $$ BEGIN END $$"));
    assert_eq!(
        value(&daemon, "SELECT count(*) FROM pg_extension WHERE extname = 'plpgsql'"),
        "1"
    );
}

/// The server that makes the data writes as little WAL as there is.
#[test]
fn settings_that_need_more_wal_do_not_stop_sql_from_running() {
    let major: u32 = start(builder()).version().split('.').next().unwrap().parse().unwrap();
    let mut archives = builder()
        .setting("Archive_Mode", "on")
        .setting("archive_command", "true");
    if major >= 17 {
        archives = archives.setting("summarize_wal", "on");
    }
    let with_extension = start(archives.clone().extension("plpgsql"));
    let with_sql = start(archives.init_sql("CREATE TABLE t AS SELECT 5 AS n"));
    assert_eq!(value(&with_sql, "SELECT n FROM t"), "5");
    for daemon in [with_extension, with_sql] {
        assert_eq!(value(&daemon, "SHOW archive_mode"), "on");
    }
}

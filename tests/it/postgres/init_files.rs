//! Plain SQL in files, as people have it for psql, for docker-entrypoint and for migration tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use managed_daemons::PostgresBuilder;

use super::{builder, connect, refusal, runtime, start, value};

const DOCKER: &str = "CREATE USER docker;\nCREATE DATABASE docker;\nGRANT ALL PRIVILEGES ON DATABASE docker TO docker;";

fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// Builders that load the same SQL from a file and from a directory, where there is a type `size`.
fn both(dir: &Path, name: &str, sql: &str) -> [PostgresBuilder; 2] {
    let file = write(dir, &format!("{name}/{name}.sql"), sql);
    let size = || builder().init_sql("CREATE TYPE size AS ENUM ('s')");
    [size().init_dir(file.parent().unwrap()), size().init_file(file)]
}

#[test]
fn statements_that_run_in_no_transaction_are_loaded() {
    let dir = tempfile::tempdir().unwrap();
    for builder in both(dir.path(), "01-docker", DOCKER) {
        let daemon = start(builder);
        let may = "SELECT has_database_privilege('docker', 'docker', 'CREATE')";
        assert_eq!(value(&daemon, may), "t");
    }
    let concurrent = "-- no-transaction\nCREATE TABLE t (n int);\nCREATE INDEX CONCURRENTLY i ON t (n);\nVACUUM t;";
    for builder in both(dir.path(), "20240101000000_index", concurrent) {
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass";
        assert_eq!(value(&start(builder), valid), "t");
    }
    let committing = "ALTER TYPE size ADD VALUE 'm';\n\
                      CREATE TABLE t AS SELECT 'm'::size AS size;\n\
                      CREATE PROCEDURE add() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES ('s'); COMMIT; END $$;\n\
                      CALL add();";
    for builder in both(dir.path(), "committing", committing) {
        assert_eq!(
            value(
                &start(builder),
                "SELECT string_agg(size::text, ' ' ORDER BY size) FROM t"
            ),
            "s m"
        );
    }
}

#[test]
fn a_file_of_migrations_is_one_transaction_and_another_file_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t AS SELECT txid_current() AS id;\nINSERT INTO t VALUES (txid_current());\n";
    let [migration, file] = both(dir.path(), "1_x", sql).map(start);
    let count = "SELECT count(DISTINCT id) FROM t";
    assert_eq!(value(&migration, count), "1");
    assert_eq!(value(&file, count), "2");
    // What a file says of its transactions holds.
    for builder in both(dir.path(), "2_x", &format!("BEGIN;\n{sql}COMMIT;\nVACUUM t;")) {
        assert_eq!(value(&start(builder), count), "1");
    }
}

#[test]
fn a_semicolon_in_a_body_ends_no_statement() {
    let dir = tempfile::tempdir().unwrap();
    let sql = "CREATE FUNCTION one() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN ';1'; END $f$;\n\
               CREATE FUNCTION two() RETURNS text LANGUAGE sql AS E'SELECT \\'1\\'; SELECT text \\'2;\\'';\n\
               CREATE TABLE t (word text); -- a table; for words\n\
               CREATE RULE r AS ON UPDATE TO t DO INSTEAD (DELETE FROM t; INSERT INTO t VALUES ('ruled'));\n\
               INSERT INTO t VALUES ('x\\');\n/* ; /* ; */ ; */ UPDATE t SET word = 'y'";
    let daemon = start(builder().init_file(write(dir.path(), "bodies.sql", sql)));
    assert_eq!(value(&daemon, "SELECT one() || two() || word FROM t"), ";12;ruled");
}

#[test]
fn an_error_names_file_line_and_statement() {
    let dir = tempfile::tempdir().unwrap();
    let sql =
        "CREATE TABLE t (n int PRIMARY KEY);\n-- once\nINSERT INTO t\nVALUES (1);\n\n  INSERT INTO t VALUES (1);\n";
    for builder in both(dir.path(), "1_dup", sql) {
        let report = refusal(builder);
        for part in [
            "1_dup.sql`, line 6",
            "ERROR 23505",
            "the statement is `INSERT INTO t VALUES (1)`",
        ] {
            assert!(report.contains(part), "{part}: {report}");
        }
    }
    let missing = "CREATE TABLE t (n int);\nSELECT 1,\n  x\nFROM t;";
    for builder in both(dir.path(), "1_missing", missing) {
        let report = refusal(builder);
        assert!(report.contains("1_missing.sql`, line 3"), "{report}");
    }
    let secret = "ALTER ROLE missing PASSWORD 'hush'";
    for builder in both(dir.path(), "1_secret", secret) {
        let report = refusal(builder);
        assert!(
            report.contains("the statement is `ALTER ROLE missing PASSWORD '…`"),
            "{report}"
        );
    }
}

#[test]
fn compressed_files_of_a_directory_are_loaded_in_order() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "1.sql", "CREATE TABLE t (word text)");
    write(dir.path(), "3.sql", "INSERT INTO t SELECT word || ' three' FROM t");
    let second = write(dir.path(), "2.sql", "INSERT INTO t VALUES ('two')");
    assert!(Command::new("gzip").arg(second).status().unwrap().success());
    let daemon = start(builder().init_dir(dir.path()));
    let words = "SELECT string_agg(word, ', ' ORDER BY word) FROM t";
    assert_eq!(value(&daemon, words), "two, two three");
}

#[test]
fn url_works_whatever_a_script_makes_of_its_account() {
    let dir = tempfile::tempdir().unwrap();
    let major: u32 = start(builder()).version().split('.').next().unwrap().parse().unwrap();
    for (at, sql) in [
        "ALTER ROLE postgres VALID UNTIL '2001-01-01'",
        "ALTER ROLE postgres NOLOGIN",
        "CREATE DATABASE closed ALLOW_CONNECTIONS false",
        "ALTER ROLE postgres PASSWORD 'theirs'",
        "CREATE TABLE t (); ALTER ROLE postgres NOSUPERUSER",
    ]
    .into_iter()
    .enumerate()
    {
        let builder = builder().init_file(write(dir.path(), &format!("{at}.sql"), sql));
        if sql.contains("NOSUPERUSER") && major >= 16 {
            // The server itself refuses that.
            let report = refusal(builder);
            assert!(
                report.contains(".sql`, line 1") && report.contains("bootstrap"),
                "{report}"
            );
            continue;
        }
        // What comes next is loaded by the same role.
        let daemon = start(builder.init_sql("CREATE TABLE last ()"));
        runtime().block_on(async {
            let client = connect(&daemon.url())
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            client
                .batch_execute("CREATE ROLE another; DROP TABLE last")
                .await
                .unwrap();
        });
        let roles = "SELECT string_agg(rolname, ' ' ORDER BY oid) FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%'";
        assert_eq!(value(&daemon, roles), "postgres another");
    }
}

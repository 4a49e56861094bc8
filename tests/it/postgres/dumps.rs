//! Files that PostgreSQL's own tools have written, and scripts for psql.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use managed_daemons::{ManagedDaemonError, Phase, PostgresDaemon};

use super::{builder, connect, refusal, runtime, start, value};

/// A table with text that needs care, a function, and a second schema.
const SHOP: &str = r#"
    CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, tags text[]);
    INSERT INTO item VALUES (1, E'tab\there', '{a,b}'), (2, E'back\\slash; and ''quotes''', NULL), (3, 'naïve ✓', '{}');
    CREATE FUNCTION shout(word text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        RETURN upper(word) || ';';
    END;
    $$;
    CREATE SCHEMA other;
    CREATE VIEW other.names AS SELECT name FROM item;
"#;
const NAMES: &str = "SELECT string_agg(name, '|' ORDER BY id) FROM item";
const EXPECTED_NAMES: &str = "tab\there|back\\slash; and 'quotes'|naïve ✓";

/// Runs one of PostgreSQL's client programs on the server, and returns what it prints.
#[track_caller]
fn client(daemon: &PostgresDaemon, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = daemon.client(program).unwrap().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[track_caller]
fn assert_is_the_shop(daemon: &PostgresDaemon) {
    assert_eq!(value(daemon, NAMES), EXPECTED_NAMES);
    assert_eq!(value(daemon, "SELECT shout('hey')"), "HEY;");
    assert_eq!(value(daemon, "SELECT count(*) FROM other.names"), "3");
}

fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// Compresses a file, whose new name does not tell with what; `None` where the program is missing.
fn compress(program: &str, file: &Path) -> Option<PathBuf> {
    let Output { status, stdout, .. } = Command::new(program).arg("-c").arg(file).output().ok()?;
    assert!(status.success());
    let compressed = file.with_extension(format!("from-{program}"));
    fs::write(&compressed, stdout).unwrap();
    Some(compressed)
}

/// The phase, the reason and the whole report of a start that must fail.
#[track_caller]
fn failure(builder: managed_daemons::PostgresBuilder) -> (Phase, String, String) {
    match builder.start() {
        Err(ref error @ ManagedDaemonError::Start { phase, ref reason, .. }) => (phase, reason.clone(), error.report()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_format_of_pg_dump_is_loaded() {
    let shop = start(builder().init_sql(SHOP));
    let dir = tempfile::tempdir().unwrap();
    for (format, name) in [("p", "plain"), ("c", "custom"), ("t", "tar"), ("d", "directory")] {
        let dump = dir.path().join(name);
        client(&shop, "pg_dump", &["-F", format, "-f", dump.to_str().unwrap()]);
        assert_is_the_shop(&start(builder().database("restored").init_file(&dump)));
        // Where a file is decompressed, its content decides again.
        let programs: &[&str] = match format {
            "p" => &["gzip", "xz", "zstd"],
            "c" => &["gzip"],
            _ => &[],
        };
        for program in programs {
            if let Some(compressed) = compress(program, &dump) {
                assert_is_the_shop(&start(builder().init_file(compressed)));
            }
        }
    }
}

#[test]
fn the_dump_of_a_whole_server_is_loaded_and_accounts_keep_their_passwords() {
    let shop = start(
        builder()
            .password("the old one")
            .database("shop")
            .init_sql(SHOP)
            .init_sql("CREATE ROLE app LOGIN PASSWORD 'apps'; GRANT SELECT ON item TO app"),
    );
    let dir = tempfile::tempdir().unwrap();
    let dump = write(dir.path(), "all.sql", client(&shop, "pg_dumpall", &[]));
    for (builder, password) in [
        // The database and the role are in the dump, or were made before.
        (builder(), "apps"),
        (builder().database("shop").extra_user("app", "replaced"), "replaced"),
        (builder().username("another"), "apps"),
        // An ordinary role of the dump is the superuser here.
        (builder().username("app").password("own"), "own"),
    ] {
        let daemon = start(builder.init_file(&dump));
        let app = daemon.url_for("app", password).replace("/postgres", "/shop");
        for url in [daemon.database_url("shop"), app] {
            let count = client(&daemon, "psql", &["-At", "-c", "SELECT count(*) FROM item", &url]);
            assert_eq!(String::from_utf8_lossy(&count), "3\n");
        }
    }
}

#[test]
fn scripts_for_psql_run_as_psql_runs_them() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "sub/more.sql", "\\ir deeper/last.sql\n");
    write(
        dir.path(),
        "sub/deeper/last.sql",
        "INSERT INTO t VALUES ('included');\n",
    );
    let script = "\\set word '\\'psql\\''\n\
                  CREATE TABLE t (word text);\n\
                  \\if true\nINSERT INTO t VALUES (:word);\n\\else\nnonsense;\n\\endif\n\
                  \\ir sub/more.sql\n\
                  SELECT format('INSERT INTO t VALUES (%L)', 'generated') \\gexec\n\
                  COPY t FROM stdin;\ncopied\n\\.\n\
                  CREATE DATABASE beside;\n\\connect beside\nCREATE TABLE elsewhere (n int);\n";
    let daemon = start(builder().init_file(write(dir.path(), "script.sql", script)));
    let words = "SELECT string_agg(word, ' ' ORDER BY word) FROM t";
    assert_eq!(value(&daemon, words), "copied generated included psql");
    let tables = client(&daemon, "psql", &["-At", "-c", "\\dt", "beside"]);
    let tables = String::from_utf8_lossy(&tables).into_owned();
    assert!(tables.contains("elsewhere"), "{tables}");
}

#[test]
fn a_file_says_its_own_encoding() {
    let dir = tempfile::tempdir().unwrap();
    let latin = b"SET client_encoding = 'LATIN1';\nCREATE TABLE t AS SELECT 'na\xefve'::text AS word;\n";
    let daemon = start(builder().init_file(write(dir.path(), "latin.sql", latin)));
    assert_eq!(value(&daemon, "SELECT word FROM t"), "naïve");
}

#[test]
fn a_changed_included_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let outer = write(dir.path(), "outer.sql", "CREATE TABLE t (n int);\n\\ir inner.sql\n");
    for number in ["1", "2"] {
        write(dir.path(), "inner.sql", format!("INSERT INTO t VALUES ({number});"));
        let daemon = start(builder().init_file(&outer));
        assert_eq!(value(&daemon, "SELECT string_agg(n::text, ' ') FROM t"), number);
    }
}

#[test]
fn a_change_of_any_file_that_is_read_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    // The server may run as another user.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let inner = write(dir.path(), "inner.sql", "");
    let rows = write(dir.path(), "rows", "");
    let (here, there) = (dir.path().display(), rows.display());
    for (name, read) in [
        ("include", String::from("BEGIN; \\ir inner.sql\nCOMMIT;")),
        ("variable", format!("\\set dir '{here}'\n\\i :dir/inner.sql\n")),
        (
            "object",
            format!("\\lo_import '{there}'\nINSERT INTO t SELECT convert_from(lo_get(:LASTOID), 'UTF8');"),
        ),
        ("copy", format!("COPY t FROM '{there}';")),
    ] {
        let script = write(dir.path(), name, format!("CREATE TABLE t (n text);\n{read}"));
        for number in ["1", "2"] {
            fs::write(&inner, format!("INSERT INTO t VALUES ({number});")).unwrap();
            fs::write(&rows, number).unwrap();
            let daemon = start(builder().init_file(&script));
            assert_eq!(value(&daemon, "SELECT string_agg(n, ' ') FROM t"), number, "{name}");
        }
    }
}

#[test]
fn an_error_names_file_line_and_statement() {
    let dir = tempfile::tempdir().unwrap();
    let script = "\\set x 1\nCREATE TABLE fine (n int);\n\nINSERT INTO missing\nVALUES (1);\n";
    let plain = write(dir.path(), "bad.sql", script);
    let compressed = compress("gzip", &plain).unwrap();
    for file in [&plain, &compressed] {
        let (phase, reason, report) = failure(builder().init_file(file));
        assert_eq!(phase, Phase::Initialize);
        let place = format!("{}:5: ERROR:  relation \"missing\" does not exist", file.display());
        assert!(reason.contains(&place), "{reason}");
        assert!(report.contains("INSERT INTO missing"), "{report}");
    }
}

#[test]
fn sql_that_fails_does_so_in_phase_initialize() {
    assert_eq!(failure(builder().init_sql("SELECT 1/0")).0, Phase::Initialize);
}

#[test]
fn what_cannot_be_read_is_refused_in_phase_configure() {
    let dir = tempfile::tempdir().unwrap();
    let truncated = write(dir.path(), "truncated", b"\x1f\x8b\x08\x00");
    for (path, problem) in [
        (dir.path().join("nothing.sql"), "could not read"),
        (dir.path().to_path_buf(), "`init_dir` takes a directory of migrations"),
        (truncated, "can't be decompressed: "),
    ] {
        let (phase, _, report) = failure(builder().init_file(&path));
        assert_eq!(phase, Phase::Configure, "{report}");
        assert!(
            report.contains(problem) && report.contains(&path.display().to_string()),
            "{report}"
        );
    }
    let migrations = write(dir.path(), "migrations/1.sql", b"\x1f\x8b\x08\x00");
    let (_, _, report) = failure(builder().init_dir(migrations.parent().unwrap()));
    assert!(
        report.contains("option `init_dir`") && report.contains("can't be decompressed"),
        "{report}"
    );
}

#[test]
fn a_dump_of_a_newer_server_is_answered_with_the_version_to_ask_for() {
    let dir = tempfile::tempdir().unwrap();
    let dump = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 99.1\n\
                -- Dumped by pg_dump version 99.1\n\n\
                SET statement_timeout = 0;\nSET no_such_timeout = 0;\nCOPY t FROM stdin;\n\\.\n";
    let report = refusal(builder().init_file(write(dir.path(), "newer.sql", dump)));
    for part in [
        "was dumped from PostgreSQL 99.1",
        "ask for `version(\"99\")`",
        "no_such_timeout",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

/// The [kind of login](https://www.postgresql.org/docs/current/protocol-message-formats.html) that the
/// server asks a user for.
fn login_of(daemon: &PostgresDaemon, user: &str) -> u32 {
    let mut stream = TcpStream::connect((daemon.host(), daemon.port())).unwrap();
    let request = [&[0, 3, 0, 0][..], b"user\0", user.as_bytes(), b"\0\0"].concat();
    let length = u32::try_from(request.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &request].concat()).unwrap();
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[0], b'R');
    u32::from_be_bytes(answer[5..].try_into().unwrap())
}

#[test]
fn a_role_with_an_md5_hash_keeps_its_password_and_others_log_in_by_scram() {
    const MD5: u32 = 5;
    const SASL: u32 = 10;
    // Of "apps" and "app".
    let role = "CREATE ROLE app LOGIN PASSWORD 'md58f3fd91e783e2fac3f7ee6fc3fcf6c02'";
    let dir = tempfile::tempdir().unwrap();
    let daemon = start(builder().init_file(write(dir.path(), "roles.sql", role)));
    runtime().block_on(async {
        let app = connect(&daemon.url_for("app", "apps")).await.unwrap();
        let user: String = app.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
        assert_eq!(user, "app");
        assert!(connect(&daemon.url_for("app", "other")).await.is_err());
    });
    let kinds = ["app", "postgres", "nobody"].map(|user| login_of(&daemon, user));
    assert_eq!(kinds, [MD5, SASL, SASL]);
}

//! SQL that fills a new database.

use std::fs;
use std::process::Command;

use managed_daemons::{ManagedDaemonError, MySqlBuilder, MySqlDaemon, Phase};

use super::{code, mariadb, on_both_servers, one, run, ACCESS_DENIED};
use crate::support::private_root;

on_both_servers!(
    texts_files_and_directories_are_run_in_order,
    a_dump_with_procedures_and_triggers_is_run,
    routines_are_run_without_delimiter_lines,
    failing_sql_fails_the_start_with_the_servers_words,
    a_changed_file_that_the_sql_reads_is_noticed,
    a_template_is_copied_with_other_passwords,
    a_script_of_several_megabytes_is_run,
);

fn texts_files_and_directories_are_run_in_order(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let migrations = root.path().join("migrations");
    fs::create_dir(&migrations).unwrap();
    for (name, sql) in [
        ("V10__ten.sql", "INSERT INTO steps (what) VALUES ('ten')"),
        (
            "V2__two.sql",
            "SET SESSION sql_mode = ''; INSERT INTO steps (what) VALUES ('two');",
        ),
        ("V10__ten.down.sql", "DROP TABLE steps"),
        ("README.md", "not SQL"),
    ] {
        fs::write(migrations.join(name), sql).unwrap();
    }
    let compressed = Command::new("gzip").arg(migrations.join("V2__two.sql")).status();
    assert!(compressed.unwrap().success());
    let file = root.path().join("it's a file.sql");
    fs::write(
        &file,
        "-- a comment; with a semicolon\nINSERT INTO steps (what) VALUES ('file; ü')\n",
    )
    .unwrap();
    let daemon = server()
        .username("app")
        .password("pass")
        .init_sql("CREATE TABLE steps (id INT AUTO_INCREMENT PRIMARY KEY, what TEXT); SELECT * FROM steps; SELECT 1")
        .init_dir(&migrations)
        .init_file(&file)
        .init_sql("INSERT INTO steps (what) SELECT CONCAT('last, sql_mode is kept: ', @@sql_mode <> '')")
        .start()
        .unwrap();
    let steps = one(
        &daemon.url(),
        "SELECT GROUP_CONCAT(what ORDER BY id SEPARATOR '/') FROM steps",
    )
    .unwrap();
    assert_eq!(steps, "two/ten/file; ü/last, sql_mode is kept: 1");
    daemon.restart().unwrap();
    assert_eq!(
        one(&daemon.url(), "SELECT CAST(COUNT(*) AS CHAR) FROM steps").unwrap(),
        "4"
    );
}

fn a_dump_with_procedures_and_triggers_is_run(server: fn() -> MySqlBuilder) {
    let sql = "CREATE TABLE t (n INT);
        DELIMITER ;;
        CREATE PROCEDURE fill() BEGIN INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); END ;;
        /*!50003 CREATE TRIGGER twice BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.n = NEW.n * 2; END */;;
        DELIMITER ;
        CALL fill(); CALL fill();";
    let daemon = server().init_sql(sql).start().unwrap();
    let numbers = one(&daemon.url(), "SELECT GROUP_CONCAT(n ORDER BY n) FROM t").unwrap();
    assert_eq!(numbers, "2,2,4,4");
}

fn routines_are_run_without_delimiter_lines(server: fn() -> MySqlBuilder) {
    let table = "CREATE TABLE t (n INT)";
    let procedure = "-- a procedure for the table\nCREATE /* it's fill */ PROCEDURE fill() \
                     BEGIN INSERT INTO t VALUES (1); INSERT INTO t VALUES (-2); END; CALL fill()";
    let trigger = "# no view\nCREATE TRIGGER positive BEFORE INSERT ON t FOR EACH ROW \
                   IF NEW.n < 0 THEN SET NEW.n = -NEW.n; END IF; INSERT INTO t VALUES (-3)";
    let daemon = server().init_sql(table).init_sql(procedure).init_sql(trigger).start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    let numbers = one(&daemon.url(), "SELECT GROUP_CONCAT(n ORDER BY n) FROM t").unwrap();
    assert_eq!(numbers, "-2,1,3");
}

fn phase(error: &ManagedDaemonError) -> Phase {
    match error {
        ManagedDaemonError::Start { phase, .. } => *phase,
        _ => panic!("not a failed start: {error:?}"),
    }
}

fn failing_sql_fails_the_start_with_the_servers_words(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let file = root.path().join("broken.sql");
    fs::write(&file, "CREATE TABLE t (n INT);\n\nSELEKT 1;\nDROP TABLE t;").unwrap();
    let error = server().temp_root(root.path()).init_file(&file).start().unwrap_err();
    assert_eq!(phase(&error), Phase::Initialize);
    let report = error.report();
    for part in ["broken.sql", "1064", "SELEKT", "line 1"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert_eq!(managed_daemons_tests::processes_of(root.path()), []);
    for command in ["SOURCE other.sql;", "\\. other.sql\n"] {
        fs::write(&file, format!("CREATE TABLE t (n INT);\n-- more\n{command}")).unwrap();
        let report = server()
            .temp_root(root.path())
            .init_file(&file)
            .start()
            .unwrap_err()
            .report();
        assert!(
            report.contains("broken.sql`, line 3: this is a command of the `mysql` client"),
            "{report}"
        );
    }

    // In a user's directory, the next start begins anew.
    let dir = root.path().join("mine");
    let broken = server().working_dir(&dir).init_file(&file).start();
    assert!(broken.is_err());
    fs::write(&file, "CREATE TABLE t (n INT)").unwrap();
    let daemon = server().working_dir(&dir).init_file(&file).start().unwrap();
    run(&daemon.url(), "INSERT INTO t VALUES (1)").unwrap();
}

fn a_template_is_copied_with_other_passwords(server: fn() -> MySqlBuilder) {
    // A second run would give another value.
    let sql = "CREATE TABLE made (id CHAR(36)); INSERT INTO made VALUES (UUID())";
    let build = |root: &str, password: &str| {
        let builder = server()
            .root_password(root)
            .username("app")
            .password(password)
            .init_sql(sql);
        builder.start().unwrap()
    };
    let first = build("root 1", "app 1");
    let second = build("root 2", "app 2");
    let made = |daemon: &MySqlDaemon| one(&daemon.url(), "SELECT id FROM made").unwrap();
    assert_eq!(made(&first), made(&second));
    for daemon in [&first, &second] {
        assert_eq!(one(&daemon.root_url(), "SELECT 'in'").unwrap(), "in");
    }
    for (right, wrong) in [("app:app%202", "app:app%201"), ("root:root%202", "root:root%201")] {
        let url = second.url();
        let (_, rest) = url.split_once('@').unwrap();
        assert!(run(&format!("mysql://{right}@{rest}"), "SELECT 1").is_ok());
        assert_eq!(
            code(run(&format!("mysql://{wrong}@{rest}"), "SELECT 1")),
            Some(ACCESS_DENIED)
        );
    }
}

fn a_changed_file_that_the_sql_reads_is_noticed(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let file = root.path().join("items.csv");
    let sql = format!(
        "CREATE TABLE item (name TEXT); LOAD DATA INFILE '{}' INTO TABLE item;
         CREATE TABLE whole AS SELECT CONVERT(LOAD_FILE('{}') USING utf8mb4) AS text",
        file.display(),
        file.display()
    );
    for content in ["pen\nink\n", "paper\n", "paper\n"] {
        fs::write(&file, content).unwrap();
        let daemon = server().username("app").init_sql(&sql).start();
        let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
        let names = "SELECT GROUP_CONCAT(name ORDER BY name DESC SEPARATOR '\\n') FROM item";
        assert_eq!(one(&daemon.url(), names).unwrap(), content.trim_end());
        assert_eq!(one(&daemon.url(), "SELECT text FROM whole").unwrap(), content);
        daemon.restart().unwrap();
        assert_eq!(one(&daemon.url(), names).unwrap(), content.trim_end());
    }
}

fn a_script_of_several_megabytes_is_run(server: fn() -> MySqlBuilder) {
    let mut sql = String::from("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, what LONGTEXT);\n");
    for _ in 0..12 {
        sql.push_str(&format!("INSERT INTO t (what) VALUES ('{}');\n", "x".repeat(500_000)));
    }
    let daemon = server().init_sql(sql).start().unwrap();
    assert_eq!(
        one(&daemon.url(), "SELECT CAST(SUM(LENGTH(what)) AS CHAR) FROM t").unwrap(),
        "6000000"
    );
}

#[test]
fn missing_files_are_reported_before_anything_is_started() {
    let root = private_root();
    for (builder, says) in [
        (mariadb().init_file("no/such.sql"), "no/such.sql"),
        (mariadb().init_dir("no/such/dir"), "no/such/dir"),
        (mariadb().init_dir(root.path()), "holds no `.sql` file"),
    ] {
        let error = builder.start().unwrap_err();
        assert_eq!(phase(&error), Phase::Configure);
        assert!(error.report().contains(says), "{}", error.report());
    }
}

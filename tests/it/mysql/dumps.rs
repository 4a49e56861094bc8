//! Files that the servers' own tools have written, and SQL that changes the accounts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use managed_daemons::{BinaryRequest, BinarySpec, Flavor, MySqlBuilder, MySqlDaemon};

use super::{on_both_servers, one, run};

on_both_servers!(
    a_dump_of_databases_is_loaded,
    a_dump_of_all_databases_is_loaded_and_accounts_keep_their_passwords,
    sql_may_change_the_accounts_of_the_builder,
    an_error_names_file_line_and_statement,
);

const SHOP: &str = "CREATE TABLE item (id INT PRIMARY KEY, name TEXT);
    INSERT INTO item VALUES (1, 'tab\\there'), (2, 'it''s; \\\\ back'), (3, 'naïve ✓');
    CREATE TABLE log (what TEXT);
    DELIMITER ;;
    CREATE PROCEDURE both_of() BEGIN SELECT 1; SELECT 2; END ;;
    CREATE TRIGGER logged AFTER INSERT ON item FOR EACH ROW BEGIN INSERT INTO log VALUES (NEW.name); END ;;
    DELIMITER ;
    CREATE VIEW names AS SELECT name FROM item;
    CREATE USER app@'%' IDENTIFIED BY 'apps'; GRANT ALL ON shop.* TO app@'%';";

/// Dumps a server with the tool of its installation.
fn dump(daemon: &MySqlDaemon, arguments: &[&str], to: &Path) -> PathBuf {
    let (spec, tool) = match daemon.flavor() {
        Flavor::MariaDb => ("mariadb", "mariadb-dump"),
        _ => ("mysql", "mysqldump"),
    };
    let request = BinaryRequest {
        path: Some(daemon.binary().to_path_buf()),
        ..BinaryRequest::default()
    };
    let binary = BinarySpec::named(spec).unwrap().locate(&request).unwrap();
    let output = binary
        .command_of(&binary.tool(tool).unwrap())
        .args(["--no-defaults", "--user=root", "--routines", "--socket"])
        .arg(daemon.unix_socket())
        .args(arguments)
        .env("MYSQL_PWD", daemon.root_password().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(to, output.stdout).unwrap();
    to.to_path_buf()
}

#[track_caller]
fn assert_is_the_shop(url: &str) {
    let names = one(
        url,
        "SELECT GROUP_CONCAT(name ORDER BY id SEPARATOR '|') FROM shop.item",
    )
    .unwrap();
    assert_eq!(names, "tab\there|it's; \\ back|naïve ✓");
    run(url, "INSERT INTO shop.item VALUES (4, 'four')").unwrap();
    assert_eq!(one(url, "SELECT what FROM shop.log").unwrap(), "four");
    assert_eq!(
        one(url, "SELECT name FROM shop.names WHERE name LIKE 'f%'").unwrap(),
        "four"
    );
    run(url, "CALL shop.both_of()").unwrap();
}

fn a_dump_of_databases_is_loaded(server: fn() -> MySqlBuilder) {
    let shop = server().database("shop").init_sql(SHOP).start().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let plain = dump(&shop, &["--databases", "shop"], &dir.path().join("shop.sql"));
    assert_is_the_shop(&server().init_file(&plain).start().unwrap().url());
    assert!(Command::new("gzip").arg(&plain).status().unwrap().success());
    let compressed = plain.with_extension("sql.gz");
    assert_is_the_shop(&server().init_file(compressed).start().unwrap().url());
}

fn a_dump_of_all_databases_is_loaded_and_accounts_keep_their_passwords(server: fn() -> MySqlBuilder) {
    let shop = server()
        .database("shop")
        .root_password("old")
        .init_sql(SHOP)
        .start()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let all = dump(
        &shop,
        &["--all-databases", "--flush-privileges"],
        &dir.path().join("all.sql"),
    );
    let daemon = server().init_file(&all).start().unwrap();
    assert_is_the_shop(&daemon.url());
    let app = daemon.url_for("app", "apps").replace("/test", "/shop");
    assert_eq!(one(&app, "SELECT name FROM item WHERE id = 3").unwrap(), "naïve ✓");
    daemon.restart().unwrap();
    assert_eq!(one(&daemon.root_url(), "SELECT 'in'").unwrap(), "in");
}

fn sql_may_change_the_accounts_of_the_builder(server: fn() -> MySqlBuilder) {
    let change = "ALTER USER 'root'@'localhost' IDENTIFIED BY 'changed'; FLUSH PRIVILEGES;";
    let daemon = server()
        .username("app")
        .init_sql(change)
        .init_sql("CREATE TABLE t (n INT)")
        .start();
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", error.report()));
    run(&daemon.url(), "INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(one(&daemon.root_url(), "SELECT 'in'").unwrap(), "in");
}

fn an_error_names_file_line_and_statement(server: fn() -> MySqlBuilder) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.sql");
    fs::write(
        &file,
        "CREATE TABLE fine (n INT);\n\nINSERT INTO missing\nVALUES (1);\n",
    )
    .unwrap();
    let report = server().init_file(&file).start().unwrap_err().report();
    let place = format!("`{}`, line 3", file.display());
    for part in [&*place, "1146", "the statement is `INSERT INTO missing"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

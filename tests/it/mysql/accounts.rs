//! The application's users and databases.

use managed_daemons::{Builder, MySql};

use super::{code, mariadb, on_both_servers, one, run, DATABASE_ACCESS_DENIED};

on_both_servers!(
    the_url_names_the_first_user_and_database,
    without_a_user_the_url_names_root,
    any_text_can_be_a_name,
    a_wildcard_in_a_name_matches_no_other_database,
);

fn the_url_names_the_first_user_and_database(server: fn() -> Builder<MySql>) {
    let daemon = server()
        .database("shop")
        .database("archive")
        .user("clerk", "one")
        .user("auditor", "two")
        .start()
        .unwrap();
    assert_eq!(
        (daemon.user(), daemon.password(), daemon.database()),
        ("clerk", "one", "shop")
    );
    for url in [daemon.url(), daemon.unix_socket_url()] {
        assert_eq!(
            one(&url, "SELECT CONCAT(CURRENT_USER(), ' ', DATABASE())").unwrap(),
            "clerk@% shop"
        );
        run(&url, "CREATE TABLE IF NOT EXISTS archive.t (n INT)").unwrap();
        assert_eq!(code(run(&url, "CREATE DATABASE another")), Some(DATABASE_ACCESS_DENIED));
        assert!(code(run(&url, "SELECT * FROM mysql.user")).is_some());
    }
    let auditor = daemon.url().replace("clerk:one", "auditor:two");
    run(&auditor, "INSERT INTO archive.t VALUES (1)").unwrap();
}

fn without_a_user_the_url_names_root(server: fn() -> Builder<MySql>) {
    let daemon = server().start().unwrap();
    assert_eq!(daemon.url(), daemon.root_url());
    assert_eq!(daemon.unix_socket_url(), daemon.root_unix_socket_url());
    assert_eq!(
        one(&daemon.url(), "SELECT CONCAT(CURRENT_USER(), ' ', DATABASE())").unwrap(),
        "root@localhost test"
    );
    // An emoji is four bytes in UTF-8, which neither server's oldest character set can hold.
    run(&daemon.url(), "CREATE TABLE t (s TEXT); INSERT INTO t VALUES ('🦀')").unwrap();
    assert_eq!(one(&daemon.url(), "SELECT s FROM t").unwrap(), "🦀");
}

fn any_text_can_be_a_name(server: fn() -> Builder<MySql>) {
    for (user, database) in [
        ("o'neil", "o'neil"),
        ("a\"b`c\\", "a\"b`c\\d"),
        ("-- # ;", "x; DROP DATABASE mysql -- #"),
        ("line\nbreak", "line\nbreak/and.dot"),
        ("ünï@host", "ünï %_"),
    ] {
        let daemon = server().user(user, "pass").database(database).start().unwrap();
        assert_eq!((daemon.user(), daemon.database()), (user, database));
        for url in [daemon.url(), daemon.unix_socket_url()] {
            assert_eq!(one(&url, "SELECT DATABASE()").unwrap(), database);
            assert!(one(&url, "SELECT CURRENT_USER()").unwrap().starts_with(user));
            run(&url, "CREATE TABLE IF NOT EXISTS t (n INT)").unwrap();
        }
    }
}

fn a_wildcard_in_a_name_matches_no_other_database(server: fn() -> Builder<MySql>) {
    let daemon = server().user("app", "pass").database("a_b").start().unwrap();
    run(&daemon.root_url(), "CREATE DATABASE axb").unwrap();
    run(&daemon.url(), "CREATE TABLE a_b.t (n INT)").unwrap();
    assert!(code(run(&daemon.url(), "CREATE TABLE axb.t (n INT)")).is_some());
}

#[test]
fn names_that_the_server_would_refuse_are_refused() {
    let long = "x".repeat(65);
    for (builder, says) in [
        (mariadb().user("", "pass"), "option `user`"),
        (mariadb().user("a\0b", "pass"), "no NUL"),
        (mariadb().user(&long[..33], "pass"), "1 to 32 characters"),
        (mariadb().user("root", "pass"), "there is a user \"root\" already"),
        (
            mariadb().user("app", "1").user("app", "2"),
            "there is a user \"app\" already",
        ),
        (mariadb().database(""), "option `database`"),
        (mariadb().database("a\0b"), "option `database`"),
        (mariadb().database("a "), "no space at the end"),
        (mariadb().database(&*long), "1 to 64 characters"),
    ] {
        let report = builder.start().unwrap_err().report();
        assert!(report.contains(says), "{says}: {report}");
    }
}

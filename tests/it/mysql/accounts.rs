//! The application's user and database.

use managed_daemons::{Builder, MySql};

use super::{code, mariadb, on_both_servers, one, run, DATABASE_ACCESS_DENIED};

on_both_servers!(
    the_url_is_the_first_users_in_the_first_database,
    without_a_user_the_url_is_roots,
    names_are_taken_literally,
    a_name_with_a_wildcard_grants_nothing_else,
);

fn the_url_is_the_first_users_in_the_first_database(server: fn() -> Builder<MySql>) {
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

fn without_a_user_the_url_is_roots(server: fn() -> Builder<MySql>) {
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

fn names_are_taken_literally(server: fn() -> Builder<MySql>) {
    for (user, database) in [
        ("o'neil", "o'neil"),
        ("a\"b`c\\", "a\"b`c\\d"),
        ("-- # ;", "x; DROP DATABASE mysql -- #"),
        ("line\nbreak", "slash/and.dot"),
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

fn a_name_with_a_wildcard_grants_nothing_else(server: fn() -> Builder<MySql>) {
    let daemon = server().user("app", "pass").database("a_b").start().unwrap();
    run(&daemon.root_url(), "CREATE DATABASE axb").unwrap();
    run(&daemon.url(), "CREATE TABLE a_b.t (n INT)").unwrap();
    assert!(code(run(&daemon.url(), "CREATE TABLE axb.t (n INT)")).is_some());
}

#[test]
fn what_can_be_no_name_is_refused() {
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
        (mariadb().database("a\nb"), "none of them a control character"),
        (mariadb().database("a "), "no space at the end"),
        (mariadb().database(&*long), "1 to 64 characters"),
    ] {
        let report = builder.start().unwrap_err().report();
        assert!(report.contains(says), "{says}: {report}");
    }
}

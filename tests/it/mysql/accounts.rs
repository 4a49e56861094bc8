//! The application's users and databases.

use managed_daemons::MySqlBuilder;

use super::{code, mariadb, on_both_servers, one, run, DATABASE_ACCESS_DENIED};
use crate::support::private_root;

on_both_servers!(
    every_user_has_all_rights_on_every_database,
    without_a_user_the_url_names_root,
    passwords_are_random_unless_set,
    a_password_without_a_user_is_roots,
    without_a_password_none_is_asked_for,
    another_user_can_be_chosen_in_a_users_directory,
    any_text_can_be_a_name,
    a_wildcard_in_a_name_matches_no_other_database,
);

fn every_user_has_all_rights_on_every_database(server: fn() -> MySqlBuilder) {
    let daemon = server()
        .username("clerk")
        .password("one")
        .extra_user("auditor", "two")
        .database("shop")
        .extra_database("archive")
        .start()
        .unwrap();
    assert_eq!(
        (daemon.username(), daemon.password(), daemon.database()),
        ("clerk", Some("one"), "shop")
    );
    let who_and_where = "SELECT CONCAT(CURRENT_USER(), ' ', DATABASE())";
    for url in [daemon.url(), daemon.unix_socket_url()] {
        assert_eq!(one(&url, who_and_where).unwrap(), "clerk@% shop");
        run(&url, "CREATE TABLE IF NOT EXISTS archive.t (n INT)").unwrap();
        assert_eq!(code(run(&url, "CREATE DATABASE another")), Some(DATABASE_ACCESS_DENIED));
        assert!(code(run(&url, "SELECT * FROM mysql.user")).is_some());
    }
    let archive = daemon.database_url("archive");
    assert_eq!(one(&archive, who_and_where).unwrap(), "clerk@% archive");
    let auditor = daemon.user_url("auditor").unwrap();
    assert_eq!(one(&auditor, who_and_where).unwrap(), "auditor@% shop");
    run(&auditor, "INSERT INTO archive.t VALUES (1)").unwrap();
    assert_eq!(daemon.user_url("clerk"), Some(daemon.url()));
    assert_eq!(daemon.user_url("root"), Some(daemon.root_url()));
    assert_eq!(daemon.user_url("nobody"), None);
}

fn passwords_are_random_unless_set(server: fn() -> MySqlBuilder) {
    let daemon = server().username("app").start().unwrap();
    let (password, root_password) = (daemon.password().unwrap(), daemon.root_password().unwrap());
    assert_eq!((password.len(), root_password.len()), (32, 32));
    assert_ne!(password, root_password);
    assert_eq!(one(&daemon.url(), "SELECT CURRENT_USER()").unwrap(), "app@%");
}

fn a_password_without_a_user_is_roots(server: fn() -> MySqlBuilder) {
    for builder in [server(), server().username("root")] {
        let daemon = builder.password("s3cret").start().unwrap();
        assert_eq!(daemon.root_password(), Some("s3cret"));
        assert_eq!(one(&daemon.url(), "SELECT CURRENT_USER()").unwrap(), "root@localhost");
    }
}

fn without_a_password_none_is_asked_for(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let dir = root.path().join("mine");
    let daemon = server().working_dir(&dir).without_password().start().unwrap();
    assert_eq!((daemon.password(), daemon.root_password()), (None, None));
    assert!(daemon.url().starts_with("mysql://root@127.0.0.1:"));
    for url in [daemon.url(), daemon.unix_socket_url()] {
        assert_eq!(one(&url, "SELECT CURRENT_USER()").unwrap(), "root@localhost");
    }
    daemon.close().unwrap();
    let daemon = server().working_dir(&dir).start().unwrap();
    assert_eq!(daemon.password(), None);
    daemon.destroy().unwrap();

    let daemon = server().username("app").without_password().start().unwrap();
    assert_eq!(daemon.root_password().map(str::len), Some(32));
    for url in [daemon.url(), daemon.unix_socket_url()] {
        assert_eq!(one(&url, "SELECT CURRENT_USER()").unwrap(), "app@%");
    }
}

fn another_user_can_be_chosen_in_a_users_directory(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let dir = root.path().join("mine");
    let first = server()
        .working_dir(&dir)
        .password("root's")
        .extra_user("auditor", "two")
        .extra_database("archive")
        .start()
        .unwrap();
    first.close().unwrap();
    let second = server().working_dir(&dir).username("auditor").start().unwrap();
    assert_eq!(second.root_password(), Some("root's"));
    assert_eq!(second.password().map(str::len), Some(32));
    run(&second.database_url("archive"), "CREATE TABLE t (n INT)").unwrap();
    assert_eq!(one(&second.url(), "SELECT CURRENT_USER()").unwrap(), "auditor@%");
}

fn without_a_user_the_url_names_root(server: fn() -> MySqlBuilder) {
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

fn any_text_can_be_a_name(server: fn() -> MySqlBuilder) {
    for (user, database) in [
        ("o'neil", "o'neil"),
        ("a\"b`c\\", "a\"b`c\\d"),
        ("-- # ;", "x; DROP DATABASE mysql -- #"),
        ("line\nbreak", "line\nbreak/and.dot"),
        ("ünï@host", "ünï %_"),
    ] {
        let daemon = server()
            .username(user)
            .password("pass")
            .database(database)
            .start()
            .unwrap();
        assert_eq!((daemon.username(), daemon.database()), (user, database));
        for url in [daemon.url(), daemon.unix_socket_url()] {
            assert_eq!(one(&url, "SELECT DATABASE()").unwrap(), database);
            assert!(one(&url, "SELECT CURRENT_USER()").unwrap().starts_with(user));
            run(&url, "CREATE TABLE IF NOT EXISTS t (n INT)").unwrap();
        }
    }
}

fn a_wildcard_in_a_name_matches_no_other_database(server: fn() -> MySqlBuilder) {
    let daemon = server().username("app").database("a_b").start().unwrap();
    run(&daemon.root_url(), "CREATE DATABASE axb").unwrap();
    run(&daemon.url(), "CREATE TABLE a_b.t (n INT)").unwrap();
    assert!(code(run(&daemon.url(), "CREATE TABLE axb.t (n INT)")).is_some());
}

#[test]
fn names_that_the_server_would_refuse_are_refused() {
    let long = "x".repeat(65);
    for (builder, says) in [
        (mariadb().username(""), "option `username`"),
        (mariadb().username("a\0b"), "no NUL"),
        (mariadb().username(&long[..33]), "1 to 32 characters"),
        (mariadb().extra_user("", "pass"), "option `extra_user`"),
        (mariadb().extra_user("root", "pass"), "there is a user \"root\" already"),
        (
            mariadb().username("app").extra_user("app", "2"),
            "there is a user \"app\" already",
        ),
        (
            mariadb().extra_user("app", "1").extra_user("app", "2"),
            "there is a user \"app\" already",
        ),
        (mariadb().database(""), "option `database`"),
        (mariadb().database("a\0b"), "option `database`"),
        (mariadb().database("a "), "no space at the end"),
        (mariadb().database(&*long), "1 to 64 characters"),
        (mariadb().extra_database(&*long), "option `extra_database`"),
    ] {
        let report = builder.start().unwrap_err().report();
        assert!(report.contains(says), "no {says:?} in {report}");
    }
}

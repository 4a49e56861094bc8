//! MariaDB and MySQL.

use managed_daemons::{Flavor, MySqlBuilder, MySqlDaemon};
use managed_daemons_tests::postgres;

use super::{begin_at_once, count_said, failure, url, Machine, SHORT};
use crate::mysql::{code, on_both_servers, one, run, ACCESS_DENIED, DATABASE_ACCESS_DENIED};
use crate::support::{eventually, eventually_empty, Sharer};

const VARIABLE: &str = "MANAGED_DAEMONS_MYSQL_URL";

on_both_servers!(
    tests_of_two_machines_share_a_server_and_no_database,
    machines_that_begin_at_once_leave_each_other_alone,
    what_a_dead_machine_has_left_goes_with_the_next_run_of_its_project_after_its_lease,
    an_account_of_a_managed_cluster_makes_users,
    an_account_that_makes_no_users_makes_databases,
    only_a_missing_privilege_is_a_reason_to_make_no_users,
    a_bad_url_is_one_clear_error_without_the_password,
    connections_are_as_safe_as_the_url_asks_for,
    version_and_flavor_are_checked_and_settings_and_files_are_the_servers_own,
);

/// The URL of root, without a database.
fn root(server: &MySqlDaemon) -> String {
    account(server, "root", server.root_password().unwrap())
}

fn account(server: &MySqlDaemon, user: &str, password: &str) -> String {
    format!("mysql://{user}:{password}@127.0.0.1:{}/", server.port())
}

/// All databases and users that a server did not have from its start.
fn remains(server: &MySqlDaemon) -> Vec<String> {
    let sql = "SELECT CAST(COALESCE(GROUP_CONCAT(name ORDER BY name), '') AS CHAR) FROM (\
               SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'md\\_%' \
               UNION SELECT User FROM mysql.user WHERE User LIKE 'md\\_%') AS names";
    let names = one(&root(server), sql).unwrap();
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn database(url: &str) -> &str {
    url.rsplit('/').next().unwrap().split('?').next().unwrap()
}

fn count(url: &str) -> String {
    one(
        url,
        "SELECT CAST(COUNT(*) AS CHAR) FROM orders, earliest WHERE id = earliest_id",
    )
    .unwrap()
}

fn tests_of_two_machines_share_a_server_and_no_database(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let variables = [(VARIABLE, &*root(&server))];
    let (mut here, mut there) = (Machine::new(&variables), Machine::new(&variables));
    let mut tests = [
        here.start("mysql-orders"),
        here.start("mysql-orders"),
        there.start("mysql-orders"),
        there.start("mysql"),
    ];
    let urls = tests.each_mut().map(url);
    for (at, own) in urls.iter().enumerate() {
        assert!(!urls[..at].contains(own));
        let foreign = &urls[(at + 1) % urls.len()];
        let elsewhere = format!("{}{}", own.strip_suffix(database(own)).unwrap(), database(foreign));
        let refused = run(&elsewhere, "SELECT 1");
        let text = format!("{refused:?}");
        assert_eq!(code(refused), Some(DATABASE_ACCESS_DENIED), "{elsewhere}: {text}");
    }
    for url in &urls[..3] {
        assert_eq!(count(url), "1");
        run(url, "DROP TABLE orders").unwrap();
    }
    let [first, mut second, third, fourth] = tests;
    let name = database(&urls[0]).to_owned();
    first.kill();
    eventually_empty("removed", || {
        remains(&server)
            .into_iter()
            .filter(|left| *left == name)
            .collect::<Vec<_>>()
    });
    assert_eq!(code(run(&urls[0], "SELECT 1")), Some(ACCESS_DENIED));
    second.go_on();
    assert_eq!(second.line(), "closed");
    second.end();
    here.end();
    run(&urls[2], "CREATE TABLE orders (id INT)").unwrap();
    third.end();
    fourth.end();
    there.end();
    assert_eq!(remains(&server), [""; 0]);
}

fn machines_that_begin_at_once_leave_each_other_alone(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    begin_at_once((VARIABLE, &root(&server)), "mysql-orders", |url| {
        assert_eq!(count(url), "1");
    });
    assert_eq!(remains(&server), [""; 0]);
}

fn what_a_dead_machine_has_left_goes_with_the_next_run_of_its_project_after_its_lease(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let root = root(&server);
    let machine = |project: &str| {
        let project = ("MANAGED_DAEMONS_PROJECT", project);
        Machine::new(&[(VARIABLE, &root), project, ("MANAGED_DAEMONS_LEASE_SECONDS", SHORT)])
    };
    let mut dead = machine("shop");
    let mut tests = vec![dead.start("mysql-orders"), dead.start("mysql-orders")];
    tests.iter_mut().for_each(|test| drop(url(test)));
    dead.die(tests);
    let left = remains(&server);
    assert!(left.len() >= 4, "{left:?}");
    let lease = left.iter().find(|name| name.ends_with("_lease")).unwrap();
    eventually("run out", || {
        let sql = format!("SELECT CAST(until_time > UTC_TIMESTAMP() AS CHAR) FROM {lease}.lease");
        match &*one(&root, &sql).unwrap() {
            "0" => Ok(()),
            held => Err(held.to_owned()),
        }
    });

    let mut other = machine("another");
    let mut test = other.start("mysql");
    url(&mut test);
    test.end();
    other.end();
    assert_eq!(remains(&server), left);

    let mut same = machine("shop");
    let mut test = same.start("mysql");
    url(&mut test);
    test.end();
    same.end();
    assert_eq!(remains(&server), [""; 0]);
}

/// Privileges such as those of the first account of a cluster that somebody else manages: neither
/// root's, nor those to act as others.
const MANAGED: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, \
                       SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, \
                       CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER";

fn an_account_of_a_managed_cluster_makes_users(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let more = match server.flavor() {
        Flavor::MariaDb => ", DELETE HISTORY",
        _ => "",
    };
    let sql = format!(
        "CREATE USER app@'%' IDENTIFIED BY 's3cret'; GRANT {MANAGED}{more} ON *.* TO app@'%' WITH GRANT OPTION"
    );
    run(&root(&server), &sql).unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &account(&server, "app", "s3cret"))]);
    let mut tests = [machine.start("mysql-orders"), machine.start("mysql-orders")];
    let urls = tests.each_mut().map(url);
    for url in &urls {
        assert!(url.starts_with("mysql://md_"), "{url}");
        assert_eq!(count(url), "1");
        run(url, "DROP VIEW earliest").unwrap();
    }
    assert_eq!(count_said(&tests, "managed-daemons"), 0);
    let [first, second] = tests;
    first.kill();
    second.end();
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

fn an_account_that_makes_no_users_makes_databases(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let sql = "CREATE USER app@'%' IDENTIFIED BY 's3cret'; GRANT ALL ON `md\\_%`.* TO app@'%'";
    run(&root(&server), sql).unwrap();
    let mut machine = Machine::new(&[(
        VARIABLE,
        &format!("{}?ssl-mode=PREFERRED", account(&server, "app", "s3cret")),
    )]);
    let mut tests = [machine.start("mysql-orders"), machine.start("mysql-orders")];
    let urls = tests.each_mut().map(url);
    assert_ne!(database(&urls[0]), database(&urls[1]));
    for url in &urls {
        assert!(url.starts_with("mysql://app:s3cret@"), "{url}");
        assert_eq!(count(&url.replace("?ssl-mode=PREFERRED", "")), "1");
    }
    assert_eq!(count_said(&tests, "may not create users"), 1);
    let why = "The server answered error 1227: Access denied; you need (at least one of) the CREATE USER privilege";
    assert_eq!(count_said(&tests, why), 1, "{}{}", tests[0].errors(), tests[1].errors());
    // Not even that of a user that was not made.
    assert_eq!(count_said(&tests, "Aa1_"), 0);
    let [first, second] = tests;
    first.kill();
    second.end();
    machine.end();
    assert_eq!(remains(&server), [""; 0]);

    run(&root(&server), "CREATE USER reader@'%' IDENTIFIED BY 's3cret'").unwrap();
    let reader = account(&server, "reader", "s3cret");
    let mut machine = Machine::new(&[(VARIABLE, &reader)]);
    let failed = failure(&mut machine, "mysql");
    assert!(
        failed.contains(VARIABLE) && failed.contains("may not create databases"),
        "{failed}"
    );
    assert!(!failed.contains("s3cret"), "{failed}");
    machine.end();
}

fn only_a_missing_privilege_is_a_reason_to_make_no_users(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let (hindered, code) = match server.flavor() {
        Flavor::MariaDb => ("SET GLOBAL read_only = 1", "error 1290"),
        _ => (
            "INSTALL COMPONENT 'file://component_validate_password'; SET GLOBAL validate_password.length = 99",
            "error 1819",
        ),
    };
    let sql = format!(
        "CREATE USER app@'%' IDENTIFIED BY 's3cret'; GRANT {MANAGED} ON *.* TO app@'%' WITH GRANT OPTION; {hindered}"
    );
    run(&root(&server), &sql).unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &account(&server, "app", "s3cret"))]);
    let failed = failure(&mut machine, "mysql");
    assert!(failed.contains(VARIABLE) && failed.contains(code), "{failed}");
    assert!(
        failed.contains("could not create a database with a user of its own"),
        "{failed}"
    );
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

#[test]
fn a_server_that_checks_passwords_takes_those_of_the_tests() {
    let server = managed_daemons_tests::mysql().start().unwrap();
    let sql = "INSTALL COMPONENT 'file://component_validate_password'; SET GLOBAL validate_password.policy = STRONG";
    run(&root(&server), sql).unwrap();
    let mut machine = Machine::new(&[(VARIABLE, &root(&server))]);
    let mut test = machine.start("mysql-orders");
    let url = url(&mut test);
    assert!(url.starts_with("mysql://md_"), "{url}");
    assert_eq!(count(&url), "1");
    assert_eq!(count_said(&[test], "managed-daemons"), 0);
    machine.end();
    assert_eq!(remains(&server), [""; 0]);
}

fn a_bad_url_is_one_clear_error_without_the_password(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let (port, password) = (server.port(), server.root_password().unwrap());
    for (url, problem) in [
        (
            format!("postgresql://root:{password}@127.0.0.1:{port}"),
            "scheme `postgresql`",
        ),
        (
            format!("mysql://root:{password}@127.0.0.1:1"),
            "check the host and the port",
        ),
        (
            format!("mysql://root:{password}0@127.0.0.1:{port}"),
            "check the user and the password",
        ),
        (
            format!("mysql://root:{password}@127.0.0.1:{port}/?ssl-mode=strict"),
            "ssl-mode",
        ),
    ] {
        let mut machine = Machine::new(&[(VARIABLE, &url)]);
        let failed = failure(&mut machine, "mysql");
        assert!(failed.contains(problem) && failed.contains(VARIABLE), "{url}: {failed}");
        assert!(!failed.contains(password), "{failed}");
        machine.end();
    }
    assert_eq!(remains(&server), [""; 0]);
}

fn version_and_flavor_are_checked_and_settings_and_files_are_the_servers_own(builder: fn() -> MySqlBuilder) {
    let server = builder().start().unwrap();
    let (own, other) = match server.flavor() {
        Flavor::MariaDb => ("mariadb", "mysql"),
        _ => ("mysql", "mariadb"),
    };
    let mut machine = Machine::new(&[(VARIABLE, &root(&server))]);
    for action in [String::from("mysql-version '>=99'"), format!("mysql-flavor {other}")] {
        let failed = failure(&mut machine, &action);
        assert!(
            failed.contains(VARIABLE) && failed.contains(server.version()),
            "{failed}"
        );
    }
    let mut tests = [
        machine.start("mysql-version '>=5'"),
        machine.start(&format!("mysql-flavor {own}")),
        machine.start("mysql-setting"),
        machine.start("mysql-setting"),
    ];
    tests.iter_mut().for_each(|test| drop(url(test)));
    assert_eq!(count_said(&tests[..2], "managed-daemons: "), 0);
    assert_eq!(count_said(&tests[2..], "with settings of its own"), 1);
    tests.into_iter().for_each(Sharer::end);
    let mut local = machine.start("mysql-local");
    assert_eq!(local.line(), "None");
    let log = local.line();
    assert!(
        log.contains("its log is where the server of") && log.contains(VARIABLE),
        "{log}"
    );
    local.end();
    machine.end();
}

fn connections_are_as_safe_as_the_url_asks_for(builder: fn() -> MySqlBuilder) {
    // It has the files that a server with TLS needs.
    let keys = postgres().tls().start().unwrap();
    let file = |name: &str| keys.working_dir().join("tls").join(name).display().to_string();
    let server = builder()
        .setting("ssl_cert", file("server.crt"))
        .setting("ssl_key", file("server.key"))
        .setting("require_secure_transport", "ON")
        .start()
        .unwrap();
    let other = postgres().tls().start().unwrap();
    let wrong_ca = other.tls_ca().unwrap().display().to_string();
    let ca = keys.tls_ca().unwrap().display().to_string();
    let by_name = root(&server).replace("@127.0.0.1:", "@localhost:");
    for ending in [
        String::from("?ssl-mode=REQUIRED"),
        format!("?ssl-ca={ca}"),
        format!("?ssl-mode=VERIFY_CA&ssl-ca={ca}"),
        format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"),
    ] {
        let mut machine = Machine::new(&[(VARIABLE, &format!("{by_name}{ending}"))]);
        let mut test = machine.start("mysql-orders");
        let url = url(&mut test);
        assert!(url.ends_with(&ending), "{url}");
        test.end();
        machine.end();
    }
    let not_signed = format!("no authority in `{wrong_ca}`, which `ssl-ca` names, has signed it");
    for (ending, problem) in [
        (format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={wrong_ca}"), &*not_signed),
        (format!("?ssl-ca={wrong_ca}"), &not_signed),
        (
            String::from("?ssl-ca=/no/such/file"),
            "`/no/such/file`, which `ssl-ca` names, can't be read",
        ),
        (String::from("?ssl-mode=DISABLED"), VARIABLE),
    ] {
        let mut machine = Machine::new(&[(VARIABLE, &format!("{by_name}{ending}"))]);
        let failed = failure(&mut machine, "mysql");
        assert!(failed.contains(problem), "{ending}: {failed}");
        assert!(!failed.contains("check the host"), "{ending}: {failed}");
        machine.end();
    }
}

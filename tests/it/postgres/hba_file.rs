//! The `pg_hba.conf` that is deployed.

use std::fs;

use managed_daemons::{Phase, PostgresDaemon};

use super::{builder, connect, runtime, start, value};
use crate::support::failure_in;

/// What a server says to a client that it does not let in; `None` where it does.
fn refusal_of(url: &str) -> Option<String> {
    let error = runtime().block_on(connect(url)).err()?;
    Some(
        error
            .as_db_error()
            .map_or(error.to_string(), |error| error.message().to_owned()),
    )
}

#[test]
fn the_deployed_rules_decide_and_we_can_still_log_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg_hba.conf");
    fs::write(dir.path().join("readers"), "# people\nguest, other\n").unwrap();
    let rules = "local all postgres peer\nlocal all all peer\n\
                 host all @readers 127.0.0.1/32 trust # no password\n\
                 host audit clerk 127.0.0.1/32 md5\nhost all all 10.0.0.0/8 scram-sha-256\n";
    fs::write(&path, rules).unwrap();
    let daemon = start(
        builder()
            .hba_file(&path)
            .extra_database("audit")
            .extra_user("guest", "a")
            .extra_user("clerk", "b"),
    );
    let port = daemon.port();
    assert_eq!(
        refusal_of(&format!("postgresql://guest@127.0.0.1:{port}/postgres")),
        None
    );
    assert_eq!(
        refusal_of(&format!("postgresql://clerk:b@127.0.0.1:{port}/audit")),
        None
    );
    let words = refusal_of(&daemon.user_url("clerk").unwrap()).unwrap();
    assert!(words.contains("no pg_hba.conf entry"), "{words}");
    assert!(refusal_of(&daemon.url()).unwrap().contains("no pg_hba.conf entry"));
    assert_eq!(value(&daemon, "SELECT current_user"), "postgres");
    assert_eq!(fs::read_to_string(&path).unwrap(), rules);
    let replica = daemon.replica().unwrap();
    replica.catch_up_with(&daemon).unwrap();
    // A changed file is read again.
    fs::write(&path, "host all all samehost reject\n").unwrap();
    daemon.reload().unwrap();
    crate::support::eventually("the guest is refused", || {
        let words = refusal_of(&format!("postgresql://guest@127.0.0.1:{port}/postgres"));
        words
            .filter(|words| words.contains("rejects"))
            .map(drop)
            .ok_or("let in")
    });
}

#[test]
fn lines_of_the_option_come_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg_hba.conf");
    fs::write(&path, "host all all 0.0.0.0/0 reject\n").unwrap();
    let daemon = start(builder().hba_file(&path).hba("host all all 127.0.0.1/32 scram-sha-256"));
    assert_eq!(refusal_of(&daemon.url()), None);
}

#[test]
fn lines_that_can_not_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg_hba.conf");
    let place = |line: usize| format!("`{}`, line {line}: ", path.display());
    fs::write(&path, "# x\nlocal all all peer\nhost all all 127.0.0.1/32 secret\n").unwrap();
    let with_file = || builder().hba_file(&path).hba("local all nobody reject");
    let report = failure_in(Phase::Readiness, with_file());
    let expected = format!("{}invalid authentication method \"secret\"", place(3));
    assert!(report.contains(&expected), "{report}");
    let report = failure_in(Phase::Configure, builder().hba_file(&path).require_tls());
    assert!(report.contains("option `hba_file`"), "{report}");
    fs::write(&path, "\nhost all @gone 127.0.0.1/32 trust\n").unwrap();
    let report = failure_in(Phase::Configure, with_file());
    assert!(
        report.contains(&place(2)) && report.contains("/gone`: No such file"),
        "{report}"
    );
    fs::write(&path, "include 'x.conf'\ninclude gone.conf\n").unwrap();
    let is_new = start(builder())
        .version()
        .split('.')
        .next()
        .unwrap()
        .parse::<u32>()
        .unwrap()
        >= 16;
    let phase = if is_new { Phase::Configure } else { Phase::Readiness };
    let report = failure_in(phase, with_file());
    assert!(report.contains(&place(if is_new { 1 } else { 2 })), "{report}");
}

#[test]
fn a_loaded_server_has_the_rules_of_the_file() {
    let root = crate::support::private_root();
    let (at, path) = (root.path().join("mine"), root.path().join("pg_hba.conf"));
    fs::write(&path, "host all all 127.0.0.1/32 reject\n").unwrap();
    let daemon = start(builder().hba_file(&path).working_dir(&at));
    daemon.stop().unwrap();
    drop(daemon);
    let daemon = PostgresDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    assert!(refusal_of(&daemon.url()).unwrap().contains("rejects"));
}

#[test]
fn files_of_names_may_refer_to_others_beside_them() {
    let (_dir, path) = crate::support::deploy(
        "pg_hba.conf",
        &[
            (
                "pg_hba.conf",
                "host all @lists/people,@\"lists/more people\" 127.0.0.1/32 trust\n\
                 host @one,@one,@one,@one,@one,@one,@one,@one,@one,@one,@one,two all 127.0.0.1/32 reject\n\
                 host all @nobody 127.0.0.1/32 reject # @gone\n\
                 host all \"@gone\" 127.0.0.1/32 reject\n",
            ),
            ("lists/people", "@deeper/admins guest # @gone\n"),
            ("lists/deeper/admins", "\"my role\",@last\n"),
            ("lists/deeper/last", "last"),
            ("lists/more people", "\"a,b#c\"\n"),
            ("one", "one"),
            ("nobody", "# so far\n"),
        ],
    );
    let daemon = start(builder().hba_file(&path).extra_user("my role", "unused"));
    let url = format!("postgresql://my%20role@127.0.0.1:{}/postgres", daemon.port());
    assert_eq!(refusal_of(&url), None);
    let rules = "SELECT string_agg(user_name::text, ' ' ORDER BY line_number)
        FROM pg_hba_file_rules WHERE type = 'host'";
    let expected = r#"{"my role",last,guest,"a,b#c"} {all} {""} {@gone}"#;
    assert_eq!(value(&daemon, rules), expected);
    fs::write(path.with_file_name("lists/deeper/last"), "@last\n").unwrap();
    let report = failure_in(Phase::Configure, builder().hba_file(&path));
    assert!(
        report.contains("lists/deeper/last`: files refer to each other"),
        "{report}"
    );
}

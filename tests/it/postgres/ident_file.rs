//! The `pg_ident.conf` that is deployed.

use std::fs;
use std::process::Command;

use managed_daemons::{Phase, PostgresDaemon};

use super::{builder, refusal, start, value};
use crate::support::{eventually, failure_in, is_full_run, private_root};

/// Whether this process's own user of the system may be the server's user `clerk`.
fn is_let_in(daemon: &PostgresDaemon) -> bool {
    let mut psql = daemon.psql().unwrap();
    let psql = psql.env("PGUSER", "clerk").env_remove("PGPASSWORD");
    let output = psql
        .args(["--no-password", "-Atc", "SELECT current_user"])
        .output()
        .unwrap();
    output.stdout == b"clerk\n"
}

/// The name of this process's user.
fn me() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_deployed_maps_decide() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg_ident.conf");
    let maps = format!("# MAPNAME SYSTEM-USERNAME PG-USERNAME\nstaff \"{}\" clerk # me\n", me());
    fs::write(&path, &maps).unwrap();
    let rule = "local all clerk peer map=staff";
    let with_clerk = || builder().extra_user("clerk", "b").hba(rule);
    let daemon = start(with_clerk());
    assert!(!is_let_in(&daemon));
    let daemon = start(with_clerk().ident_file(&path));
    assert!(is_let_in(&daemon));
    assert_eq!(value(&daemon, "SELECT current_user"), "postgres");
    assert_eq!(fs::read_to_string(&path).unwrap(), maps);
    fs::write(&path, "staff nobody-else clerk\n").unwrap();
    daemon.reload().unwrap();
    eventually("refused", || (!is_let_in(&daemon)).then_some(()).ok_or("let in"));
}

#[test]
fn a_configuration_names_the_file_beside_it() {
    let root = private_root();
    let (config, maps) = (root.path().join("postgresql.conf"), root.path().join("pg_ident.conf"));
    fs::write(&config, "ident_file = '/etc/no-such-dir/pg_ident.conf'\n").unwrap();
    fs::write(&maps, format!("staff {} clerk\n", me())).unwrap();
    let at = root.path().join("mine");
    let with_clerk = || builder().extra_user("clerk", "b").config_file(&config);
    let daemon = start(with_clerk().hba("local all clerk peer map=staff").working_dir(&at));
    assert!(is_let_in(&daemon));
    daemon.stop().unwrap();
    drop(daemon);
    let daemon = PostgresDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    assert!(is_let_in(&daemon));
    drop(daemon);
    // Without the file, only a rule that needs it is a mistake.
    fs::remove_file(&maps).unwrap();
    drop(start(with_clerk()));
    let report = failure_in(Phase::Configure, with_clerk().hba("local all clerk peer map=staff"));
    let expected = format!(
        "`{}`, line 1: `/etc/no-such-dir/pg_ident.conf` can't be read, and a rule has `map=`",
        config.display()
    );
    assert!(report.contains(&expected), "{report}");
}

#[test]
fn lines_that_can_not_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg_ident.conf");
    let with_file = || builder().ident_file(&path);
    fs::write(&path, "a b c\n\na b # c\n").unwrap();
    let report = failure_in(Phase::Configure, with_file());
    assert!(
        report.contains(&format!("`{}`, line 3: lacks a part", path.display())),
        "{report}"
    );
    fs::remove_file(&path).unwrap();
    let report = failure_in(Phase::Configure, with_file());
    assert!(report.contains(&path.display().to_string()), "{report}");
    // Before version 16, a pattern is only looked at when somebody logs in.
    if !is_full_run() {
        return;
    }
    fs::write(&path, "# x\na /( c\n").unwrap();
    let report = refusal(with_file().version(">=16"));
    let expected = format!("`{}`, line 2: invalid regular expression \"(\"", path.display());
    assert!(report.contains(&expected), "{report}");
}

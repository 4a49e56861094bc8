//! A start that fails says why, at once.

use std::time::Instant;

use managed_daemons::{Flavor, ManagedDaemonError, MySqlBuilder, Phase};
use managed_daemons_tests::{leftovers, processes_of};

use super::on_both_servers;
use crate::support::{private_root, FAR};

on_both_servers!(
    a_bad_setting_is_reported_in_the_servers_words,
    a_directory_with_somebody_elses_data_is_left_alone,
    an_account_that_cannot_be_created_fails_the_start_at_once,
);

fn a_bad_setting_is_reported_in_the_servers_words(server: fn() -> MySqlBuilder) {
    // Makes the template.
    drop(server().start().unwrap());
    let root = private_root();
    let begin = Instant::now();
    let error = server()
        .temp_root(root.path())
        .setting("no_such_setting", "17")
        .start_timeout(FAR)
        .start()
        .unwrap_err();
    assert!(begin.elapsed() < FAR, "{:?}", begin.elapsed());
    let ManagedDaemonError::Start { phase, kept, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*phase, Phase::Readiness);
    let kept = kept.as_ref().unwrap();
    let report = error.report();
    assert!(report.contains("unknown variable 'no_such_setting=17'"), "{report}");
    assert!(kept.join("service.conf").is_file());
    std::fs::remove_dir_all(kept).unwrap();
    assert_eq!(leftovers(root.path()), Vec::<String>::new());
}

fn a_directory_with_somebody_elses_data_is_left_alone(server: fn() -> MySqlBuilder) {
    let root = private_root();
    let dir = root.path().join("mine");
    std::fs::create_dir_all(dir.join("data")).unwrap();
    std::fs::write(dir.join("data/precious"), "1").unwrap();
    let report = server().working_dir(&dir).start().unwrap_err().report();
    assert!(report.contains("is not a daemon's"), "{report}");
    assert!(dir.join("data/precious").is_file());
    assert_eq!(processes_of(root.path()), []);
}

fn an_account_that_cannot_be_created_fails_the_start_at_once(server: fn() -> MySqlBuilder) {
    // Makes the template.
    let flavor = server().start().unwrap().flavor();
    let begin = Instant::now();
    // Only the server knows that nobody may make this one.
    let builder = server()
        .database("information_schema")
        .username("app")
        .password("pass")
        .start_timeout(FAR);
    let report = builder.start().unwrap_err().report();
    assert!(begin.elapsed() < FAR, "{:?}", begin.elapsed());
    assert!(
        report.contains("could not set the passwords and make the databases"),
        "{report}"
    );
    // MariaDB stops at the statement, and does not log it.
    assert!(flavor == Flavor::MariaDb || report.contains("1044"), "{report}");
}

//! A server's life, from start to drop.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use nix::unistd::Pid;

use super::client::agent;
use super::{answer, ConfigSyntax, Server};
use crate::support::{assert_nothing_left, eventually_false, private_root};

super::on_both!(
    a_stop_keeps_files_and_port,
    a_killed_server_ends_with_its_workers_and_starts_again,
    a_paused_server_answers_once_it_is_resumed,
    a_users_directory_can_be_started_again_and_loaded,
    a_dropped_server_leaves_nothing,
    a_directory_that_the_daemons_user_cannot_enter_is_reported,
);

fn a_stop_keeps_files_and_port<S: ConfigSyntax>() {
    let server = Server::<S>::start().unwrap();
    fs::write(server.document_root().join("page"), "still there").unwrap();
    let url = format!("{}/page", server.url());
    assert_eq!(answer(&url).body, "still there");
    server.stop().unwrap();
    assert!(!server.is_running());
    assert!(agent().get(&url).call().is_err());
    assert!(server.start_if_not_running().unwrap());
    assert_eq!(format!("{}/page", server.url()), url);
    assert_eq!(answer(&url).body, "still there");
}

fn a_killed_server_ends_with_its_workers_and_starts_again<S: ConfigSyntax>() {
    let root = private_root();
    let server = Server::<S>::builder().temp_root(root.path()).start().unwrap();
    // When a master crashes, its workers go on serving the port.
    let master = Pid::from_raw(server.pid().unwrap() as i32);
    nix::sys::signal::kill(master, nix::sys::signal::Signal::SIGKILL).unwrap();
    eventually_false("running", || server.is_running());
    assert!(server.start_if_not_running().unwrap());
    assert_eq!(answer(&format!("{}/missing", server.url())).status, 404);
    server.kill().unwrap();
    assert!(agent().get(server.url()).call().is_err());
    server.start_if_not_running().unwrap();
    assert_eq!(answer(&format!("{}/missing", server.url())).status, 404);
}

fn a_paused_server_answers_once_it_is_resumed<S: ConfigSyntax>() {
    let server = Server::<S>::start().unwrap();
    let url = format!("{}/missing", server.url());
    server.pause().unwrap();
    let impatient = agent()
        .get(&url)
        .config()
        .timeout_global(Some(Duration::from_millis(100)))
        .build();
    assert!(impatient.call().is_err());
    server.resume().unwrap();
    assert_eq!(answer(&url).status, 404);
}

fn a_users_directory_can_be_started_again_and_loaded<S: ConfigSyntax>() {
    let root = private_root();
    let dir = root.path().join("with spaces and ü");
    let first = S::builder()
        .working_dir(&dir)
        .listen("second")
        .server_config(S::header("X-Kept", "yes"))
        .start()
        .unwrap();
    fs::write(first.document_root().join("page"), "kept").unwrap();
    let ports = [first.port(), first.port_named("second").unwrap()];
    first.close().unwrap();
    let second = S::builder().working_dir(&dir).start().unwrap();
    assert_eq!([second.port(), second.port_named("second").unwrap()], ports);
    let page = super::get(&format!("{}/page", second.port_url("second").unwrap()));
    assert_eq!(super::client::header(&page, "x-kept"), "yes");
    drop(second);
    let third = Server::<S>::load(&dir).unwrap();
    assert!(!third.is_running());
    third.start_if_not_running().unwrap();
    assert_eq!(answer(&format!("{}/page", third.url())).body, "kept");
    third.destroy().unwrap();
    assert!(!dir.exists());
}

fn a_dropped_server_leaves_nothing<S: ConfigSyntax>() {
    let root = private_root();
    let server = Server::<S>::builder().temp_root(root.path()).start().unwrap();
    assert_eq!(answer(&format!("{}/missing", server.url())).status, 404);
    server.reload().unwrap();
    drop(server);
    assert_nothing_left(root.path());
}

fn a_directory_that_the_daemons_user_cannot_enter_is_reported<S: ConfigSyntax>() {
    let private = tempfile::tempdir().unwrap();
    fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let started = Server::<S>::builder().serve(private.path()).start();
    if crate::support::is_root() {
        let report = started.unwrap_err().report();
        assert!(
            report.contains("option `serve`") && report.contains("chmod"),
            "{report}"
        );
    } else {
        let server = started.unwrap();
        assert_eq!(answer(&format!("{}/missing", server.url())).status, 404);
    }
    let report = Server::<S>::builder()
        .serve("/nonexistent/dir")
        .start()
        .unwrap_err()
        .report();
    assert!(
        report.contains("option `serve`") && report.contains("can't be found"),
        "{report}"
    );
}

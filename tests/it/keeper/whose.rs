//! Which processes belong to a run.

use std::fs;
use std::os::unix::fs::{chown, PermissionsExt};

use nix::unistd::Uid;

use super::{answers, url};
use crate::support::{eventually_empty, private_root, Run};

#[test]
fn two_runs_at_once_share_nothing() {
    let root = private_root();
    let mut one = Run::with_variable("MANAGED_DAEMONS_TMPDIR", root.path());
    let mut other = Run::with_variable("MANAGED_DAEMONS_TMPDIR", root.path());
    let (mut of_one, mut of_other) = (one.start("daemon a"), other.start("daemon a"));
    let (url_of_one, url_of_other) = (url(&mut of_one), url(&mut of_other));
    assert_ne!(url_of_one, url_of_other);
    one.end();
    assert!(answers(&url_of_other));
    other.end();
    crate::support::assert_nothing_left(root.path());
}

#[test]
fn processes_of_nextest_belong_together_by_its_variable() {
    let mut run = Run::new();
    let mut first = run.start_through("daemon a", "NEXTEST_RUN_ID=one");
    let mut second = run.start_through("daemon a", "NEXTEST_RUN_ID=one");
    let mut third = run.start_through("daemon a", "NEXTEST_RUN_ID=two");
    let of_first = url(&mut first);
    assert_eq!(url(&mut second), of_first);
    assert_ne!(url(&mut third), of_first);
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_process_that_no_runner_has_started_is_a_run_of_its_own() {
    let mut run = Run::new();
    // The program starts when the parent that has left it is gone.
    let orphan =
        "setsid --fork bash -c 'while grep -qs setsid /proc/$(cut -d\" \" -f4 /proc/$$/stat)/comm; do sleep 0.01; \
                  done; exec \"$@\"' orphan";
    let mut first = run.start_through("daemon a", orphan);
    let mut second = run.start_through("daemon a", orphan);
    let (of_first, of_second) = (url(&mut first), url(&mut second));
    assert_ne!(of_first, of_second);
    assert_eq!(run.keepers().len(), 2);
    drop((first, second));
    // The runner is still there.
    eventually_empty("ended", || run.keepers());
    assert!(!answers(&of_first) && !answers(&of_second));
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_path_that_is_too_long_for_a_socket_does_no_harm() {
    let root = private_root();
    let long = root.path().join("long".repeat(40));
    fs::create_dir(&long).unwrap();
    let mut run = Run::with_variable("MANAGED_DAEMONS_TMPDIR", &long);
    let (mut first, mut second) = (run.start("daemon a"), run.start("daemon a"));
    let of_first = url(&mut first);
    assert_eq!(url(&mut second), of_first);
    first.end();
    assert!(answers(&of_first));
    second.end();
    run.end();
    crate::support::assert_nothing_left(&long);
}

#[test]
fn a_directory_of_another_user_in_its_place_is_passed_over() {
    if !Uid::effective().is_root() {
        return; // only root can make one of another user
    }
    let root = private_root();
    let start = || {
        let mut run = Run::with(|command| {
            command
                .env("MANAGED_DAEMONS_TMPDIR", root.path())
                .env("NEXTEST_RUN_ID", "the same");
        });
        let mut sharer = run.start("daemon a");
        let url = url(&mut sharer);
        (run, sharer, url)
    };
    let (mut run, sharer, _) = start();
    let is_place = |name: &str| name.contains("-run-");
    let entries = || fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().path());
    let place = entries()
        .find(|path| is_place(&path.file_name().unwrap().to_string_lossy()))
        .unwrap();
    sharer.end();
    run.end();
    crate::support::assert_nothing_left(root.path());

    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
    chown(&place, Some(65534), Some(65534)).unwrap();
    let (mut run, sharer, url) = start();
    assert!(answers(&url));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    sharer.end();
    run.end();
    fs::remove_dir(&place).unwrap();
    crate::support::assert_nothing_left(root.path());
}

#[test]
fn root_and_another_user_in_the_same_run_have_a_keeper_each() {
    if !Uid::effective().is_root() {
        return; // only root can be two users
    }
    let root = private_root();
    // As `/tmp` is.
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let home = private_root();
    chown(home.path(), Some(65534), Some(65534)).unwrap();
    let mut run = Run::with_variable("MANAGED_DAEMONS_TMPDIR", root.path());
    let as_nobody = format!(
        "setpriv --reuid=65534 --regid=65534 --clear-groups env -u MANAGED_DAEMONS_CACHE -u XDG_CACHE_HOME HOME={}",
        home.path().display()
    );
    let mut of_root = run.start("daemon a");
    let mut of_nobody = run.start_through("daemon a", &as_nobody);
    let (url_of_root, url_of_nobody) = (url(&mut of_root), url(&mut of_nobody));
    assert_ne!(url_of_root, url_of_nobody);
    assert!(answers(&url_of_root) && answers(&url_of_nobody));
    of_root.end();
    of_nobody.end();
    run.end();
    crate::support::assert_nothing_left(root.path());
}

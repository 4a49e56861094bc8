//! A user id without an entry in passwd, as in `docker run --user 12345`. Only root can become one.

use std::fs::Permissions;
use std::os::unix::fs::{chown, MetadataExt, PermissionsExt};
use std::path::Path;

use super::every_daemon::{assert_work, ALL};
use crate::support::{is_root, private_root};

const UID: u32 = 12345;

/// Makes all daemons work as this user, with or without `HOME`, and its temporary files in `tmp`.
#[track_caller]
fn assert_all_work(home: Option<&Path>, tmp: &Path) {
    let as_user = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "env"];
    assert_work(&as_user.map(String::from), &ALL, |command| {
        command.env("TMPDIR", tmp);
        // The root of the daemons' directories is the test's own.
        command.env("MANAGED_DAEMONS_TMPDIR", tmp);
        for name in ["HOME", "XDG_CACHE_HOME", "MANAGED_DAEMONS_CACHE", "USER", "LOGNAME"] {
            command.env_remove(name);
        }
        command.envs(home.map(|home| ("HOME", home)));
    });
}

fn can_become_another_user() -> bool {
    if !is_root() {
        println!("not tested: only root can run a program as another user");
    }
    is_root()
}

#[test]
fn every_daemon_works_in_a_home_directory() {
    if !can_become_another_user() {
        return;
    }
    let home = private_root();
    chown(home.path(), Some(UID), Some(UID)).unwrap();
    let tmp = temporary_directory();
    assert_all_work(Some(home.path()), tmp.path());
    assert!(home.path().join(".cache/managed-daemons/templates").is_dir());
    assert_eq!(tmp.path().read_dir().unwrap().count(), 0);
}

/// Docker sets `HOME` to `/` for a user who is not in passwd.
#[test]
fn every_daemon_works_without_a_home_directory_that_can_be_written() {
    if !can_become_another_user() {
        return;
    }
    let tmp = temporary_directory();
    // Somebody else was faster, and wants programs of theirs to be executed.
    let of_stranger = tmp.path().join(format!("managed-daemons-cache-{UID}"));
    std::fs::create_dir(&of_stranger).unwrap();
    std::fs::set_permissions(&of_stranger, Permissions::from_mode(0o777)).unwrap();
    chown(&of_stranger, Some(65534), None).unwrap();
    for home in [None, Some(Path::new("/"))] {
        assert_all_work(home, tmp.path());
    }
    assert_eq!(of_stranger.read_dir().unwrap().count(), 0);
    let cache = tmp.path().join(format!("managed-daemons-cache-{UID}-1"));
    let found = cache.metadata().unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (UID, 0o700));
    assert!(cache.join("templates").is_dir());
    assert_eq!(tmp.path().read_dir().unwrap().count(), 2);
}

fn temporary_directory() -> tempfile::TempDir {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(tmp.path(), Permissions::from_mode(0o1777)).unwrap();
    tmp
}

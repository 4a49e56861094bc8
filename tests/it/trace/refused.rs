//! A file that can't be written.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{chown, symlink, PermissionsExt};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;

use super::{read, VARIABLE};
use crate::support::{private_root, Mount, Run};

/// Starts two daemons; returns what the process says, which must say it once.
#[track_caller]
fn notice_about(file: &Path) -> String {
    let mut run = Run::with_variable(VARIABLE, file);
    let mut sharer = run.start("own 2");
    assert_eq!([sharer.line(), sharer.line()], ["started", "started"]);
    let said = sharer.errors();
    sharer.end();
    run.end();
    run.assert_nothing_left();
    let begin = format!("managed-daemons: `{}` of `{VARIABLE}` ", file.display());
    let end = "; this process writes no trace\n";
    let notice = said.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(end));
    let notice = notice.unwrap_or_else(|| panic!("{said}")).to_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    notice
}

#[test]
fn tests_go_on_without_a_trace_and_say_why() {
    let dir = private_root();
    let path = |name: &str| dir.path().join(name);
    let missing = notice_about(&path("missing/trace.json"));
    assert!(
        missing.starts_with("can't be written: No such file or directory"),
        "{missing}"
    );

    let is_directory = notice_about(dir.path());
    assert!(
        is_directory.starts_with("can't be written: Is a directory"),
        "{is_directory}"
    );

    symlink("elsewhere.json", path("link.json")).unwrap();
    assert_eq!(
        notice_about(&path("link.json")),
        "can't be written: it is a symbolic link"
    );
    assert!(!path("elsewhere.json").exists());

    File::create(path("other-name")).unwrap();
    fs::hard_link(path("other-name"), path("trace.json")).unwrap();
    assert_eq!(
        notice_about(&path("trace.json")),
        "can't be written: it has another name as well (a hard link)"
    );
    assert_eq!(fs::metadata(path("other-name")).unwrap().len(), 0);
}

/// Who owns a file can read it, whatever its permissions.
#[test]
fn a_file_that_belongs_to_another_user_is_not_written() {
    // Only root can make one.
    if !geteuid().is_root() {
        return;
    }
    let dir = private_root();
    let file = dir.path().join("trace.json");
    File::create(&file).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    chown(&file, Some(65534), None).unwrap();
    assert_eq!(notice_about(&file), "can't be written: it belongs to another user");
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
}

#[test]
fn a_file_of_somebody_else_is_left_as_it_is() {
    let dir = private_root();
    for contents in [
        "precious",
        "[]",
        "[\n{\"name\":\"other\"}\n]\n",
        "[\n{\"name\":\"managed_daemons_run\",\"x\":1}\n]\n",
    ] {
        let file = dir.path().join("notes.json");
        fs::write(&file, contents).unwrap();
        let notice = notice_about(&file);
        let expected = "is no trace of this crate, and is left as it is: name another file, or remove it";
        assert_eq!(notice, expected);
        assert_eq!(fs::read_to_string(&file).unwrap(), contents);
    }
}

#[test]
fn an_empty_file_is_taken() {
    let dir = private_root();
    let path = dir.path().join("trace.json");
    File::create(&path).unwrap();
    let mut run = Run::with_variable(VARIABLE, &path);
    let mut sharer = run.start("own 1");
    assert_eq!(sharer.line(), "started");
    sharer.end();
    run.end();
    run.assert_nothing_left();
    assert!(read(&path).len() > 1);
}

#[test]
fn the_trace_of_another_run_is_kept_if_there_is_no_room_for_a_new_one() {
    // Only root can mount a disk.
    if !geteuid().is_root() {
        return;
    }
    let disk = Mount::new("size=64k");
    let file = disk.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    let mut sharer = run.start("own 1");
    assert_eq!(sharer.line(), "started");
    sharer.end();
    run.end();
    run.assert_nothing_left();
    let events = read(&file);
    // Its last block becomes full, and then all others.
    let mut trace = fs::read(&file).unwrap();
    trace.resize(trace.len().next_multiple_of(4096), b' ');
    fs::write(&file, &trace).unwrap();
    fs::write(disk.path().join("rest"), [0; 64 * 1024]).unwrap_err();

    let notice = notice_about(&file);
    assert!(
        notice.starts_with("can't be written: No space left on device"),
        "{notice}"
    );
    assert_eq!(read(&file), events);
}

#[test]
fn a_lock_that_is_never_released_is_not_waited_for_without_end() {
    let dir = private_root();
    let path = dir.path().join("trace.json");
    let lock = Flock::lock(File::create(&path).unwrap(), FlockArg::LockExclusive).unwrap();
    let notice = notice_about(&path);
    assert_eq!(notice, "can't be written: another process does not give back its lock");
    drop(lock);
}

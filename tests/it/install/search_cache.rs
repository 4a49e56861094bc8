//! Finding a binary is a part of every start, so versions are cached.

use std::path::{Path, PathBuf};

use super::probe::{copy_program, public_directory, script, Probe};

/// A program that prints its version and is not a script.
fn real_program(directory: &Path) -> PathBuf {
    let path = directory.join("exampled");
    copy_program("/bin/true", &path);
    path
}

fn probe(directory: &Path) -> Probe {
    let probe = Probe::of_program("exampled", "coreutils) ", &directory.join("cache"));
    probe.var("PATH", directory.to_str().unwrap())
}

/// The one file in the cache of versions.
fn cached(directory: &Path) -> PathBuf {
    let mut files = directory.join("cache/versions").read_dir().unwrap();
    files.next().unwrap().unwrap().path()
}

#[test]
fn a_program_is_asked_for_its_version_once() {
    let directory = public_directory();
    let program = real_program(directory.path());
    let version = probe(directory.path()).ask().text("version");
    let file = cached(directory.path());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&version), "{text}");
    std::fs::write(&file, text.replace(&version, "99.9")).unwrap();
    assert_eq!(
        probe(directory.path()).ask().text("version"),
        "99.9",
        "it was asked again"
    );
    // A new file at the same path is asked again.
    copy_program("/bin/true", &program.with_extension("new"));
    std::fs::rename(program.with_extension("new"), &program).unwrap();
    assert_eq!(probe(directory.path()).ask().text("version"), version);
}

#[test]
fn a_damaged_cache_entry_is_written_again() {
    let directory = public_directory();
    real_program(directory.path());
    let version = probe(directory.path()).ask().text("version");
    let file = cached(directory.path());
    let whole = std::fs::read(&file).unwrap();
    let cut_off = whole[..whole.len() - 1].to_vec();
    for damaged in [
        vec![],
        vec![0xff; 100],
        b"version-1\t\n".to_vec(),
        cut_off,
        whole.repeat(2),
    ] {
        std::fs::write(&file, &damaged).unwrap();
        assert_eq!(probe(directory.path()).ask().text("version"), version);
        assert_eq!(std::fs::read(&file).unwrap(), whole, "it was not written anew");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_ignored() {
    let directory = public_directory();
    real_program(directory.path());
    for unusable in ["/proc/nothing", "/dev/null/cache"] {
        let answer = probe(directory.path()).var("MANAGED_DAEMONS_CACHE", unusable).ask();
        assert!(!answer.found()["version"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_script_is_asked_for_its_version_each_time() {
    let directory = public_directory();
    let told = directory.path().join("told");
    script(
        &directory.path().join("exampled"),
        &format!("#!/bin/sh\n/bin/cat {}\n", told.display()),
    );
    for version in ["1.0", "2.0"] {
        std::fs::write(&told, format!("coreutils) {version}")).unwrap();
        assert_eq!(probe(directory.path()).ask().text("version"), version);
    }
}

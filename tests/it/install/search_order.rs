//! Where a binary is looked for: the path given, the variable, `PATH`, well-known places.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::probe::{public_directory, write_program, Probe};

/// A directory with a program in four places, a different version in each.
struct Places {
    directory: tempfile::TempDir,
}

impl Places {
    fn new() -> Self {
        let directory = public_directory();
        for (place, version) in [
            ("named", "1.1"),
            ("variable", "2.2"),
            ("path", "3.3"),
            ("known/4.4/bin", "4.4"),
        ] {
            write_program(
                &directory.path().join(place),
                "exampled",
                &format!("exampled {version}"),
            );
        }
        Self { directory }
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.directory.path().join(below)
    }

    fn text(&self, below: &str) -> String {
        self.path(below).to_str().unwrap().to_owned()
    }

    fn probe(&self) -> Probe {
        Probe::of_program("exampled", "exampled ", &self.path("cache")).well_known(&self.text("known/*/bin"))
    }
}

#[test]
fn the_path_given_comes_first() {
    let places = Places::new();
    let probe = places
        .probe()
        .var("MANAGED_DAEMONS_EXAMPLE_BIN", &places.text("variable/exampled"));
    let answer = probe
        .var("PATH", &places.text("path"))
        .named(&places.path("named/exampled"))
        .ask();
    assert_eq!(answer.found()["version"], "1.1");
    assert_eq!(answer.text("origin"), "named by the caller");
}

#[test]
fn the_variable_comes_second() {
    let places = Places::new();
    let probe = places
        .probe()
        .var("MANAGED_DAEMONS_EXAMPLE_BIN", &places.text("variable/exampled"));
    let answer = probe.var("PATH", &places.text("path")).ask();
    assert_eq!(answer.found()["version"], "2.2");
    assert_eq!(answer.text("origin"), "MANAGED_DAEMONS_EXAMPLE_BIN");
}

#[test]
fn path_comes_third() {
    let places = Places::new();
    let answer = places
        .probe()
        .var("PATH", &format!("/nonexistent:{}", places.text("path")))
        .ask();
    assert_eq!(answer.path(), places.path("path/exampled"));
    assert_eq!(answer.text("origin"), "PATH");
}

#[test]
fn well_known_places_come_last() {
    let places = Places::new();
    let answer = places.probe().ask();
    assert_eq!(answer.path(), places.path("known/4.4/bin/exampled"));
    assert_eq!(answer.text("origin"), "a well-known place");
}

#[test]
fn the_highest_version_in_well_known_places_is_used() {
    let places = Places::new();
    write_program(&places.path("known/15.1/bin"), "exampled", "exampled 15.1");
    write_program(&places.path("known/9.6/bin"), "exampled", "exampled 9.6");
    assert_eq!(places.probe().ask().found()["version"], "15.1");
}

#[test]
fn binaries_of_another_version_are_skipped() {
    let places = Places::new();
    let answer = places.probe().var("PATH", &places.text("path")).version("4").ask();
    assert_eq!(answer.found()["version"], "4.4");
}

#[test]
fn the_variable_may_be_a_directory_or_a_bare_name() {
    let places = Places::new();
    let answer = places
        .probe()
        .var("MANAGED_DAEMONS_EXAMPLE_BIN", &places.text("variable"))
        .ask();
    assert_eq!(answer.path(), places.path("variable/exampled"));
    write_program(&places.path("path"), "exampled-7", "exampled 7.7");
    let probe = places.probe().var("PATH", &places.text("path"));
    let answer = probe.var("MANAGED_DAEMONS_EXAMPLE_BIN", "exampled-7").ask();
    assert_eq!(answer.found()["version"], "7.7");
}

#[test]
fn an_empty_variable_is_ignored() {
    let places = Places::new();
    let answer = places.probe().var("MANAGED_DAEMONS_EXAMPLE_BIN", "").ask();
    assert_eq!(answer.found()["version"], "4.4");
}

#[test]
fn a_relative_directory_in_path_is_ignored() {
    let places = Places::new();
    let mut command = places.probe().var("PATH", "path").command();
    let output = command.current_dir(places.directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("\"version\":\"4.4\""), "{text}");
}

#[test]
fn a_file_that_cannot_be_executed_is_skipped() {
    let places = Places::new();
    std::fs::set_permissions(places.path("path/exampled"), Permissions::from_mode(0o644)).unwrap();
    let answer = places.probe().var("PATH", &places.text("path")).ask();
    assert_eq!(answer.found()["version"], "4.4");
}

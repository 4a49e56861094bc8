//! Path, variable, `PATH`, well-known places: in this order.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use crate::provision_support::{program, public_directory, Probe};

/// A directory with the program in four places, each of another version.
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
            program(
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
fn the_callers_path_comes_first() {
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
fn then_the_variable() {
    let places = Places::new();
    let probe = places
        .probe()
        .var("MANAGED_DAEMONS_EXAMPLE_BIN", &places.text("variable/exampled"));
    let answer = probe.var("PATH", &places.text("path")).ask();
    assert_eq!(answer.found()["version"], "2.2");
    assert_eq!(answer.text("origin"), "MANAGED_DAEMONS_EXAMPLE_BIN");
}

#[test]
fn then_path() {
    let places = Places::new();
    let answer = places
        .probe()
        .var("PATH", &format!("/nonexistent:{}", places.text("path")))
        .ask();
    assert_eq!(answer.path(), places.path("path/exampled"));
    assert_eq!(answer.text("origin"), "PATH");
}

#[test]
fn then_well_known_places() {
    let places = Places::new();
    let answer = places.probe().ask();
    assert_eq!(answer.path(), places.path("known/4.4/bin/exampled"));
    assert_eq!(answer.text("origin"), "a well-known place");
}

#[test]
fn the_highest_version_of_well_known_places_comes_first() {
    let places = Places::new();
    program(&places.path("known/15.1/bin"), "exampled", "exampled 15.1");
    program(&places.path("known/9.6/bin"), "exampled", "exampled 9.6");
    assert_eq!(places.probe().ask().found()["version"], "15.1");
}

#[test]
fn a_version_passes_over_what_does_not_satisfy_it() {
    let places = Places::new();
    let answer = places.probe().var("PATH", &places.text("path")).version("4").ask();
    assert_eq!(answer.found()["version"], "4.4");
}

#[test]
fn a_directory_and_a_bare_name_will_do_as_well() {
    let places = Places::new();
    let answer = places
        .probe()
        .var("MANAGED_DAEMONS_EXAMPLE_BIN", &places.text("variable"))
        .ask();
    assert_eq!(answer.path(), places.path("variable/exampled"));
    program(&places.path("path"), "exampled-7", "exampled 7.7");
    let probe = places.probe().var("PATH", &places.text("path"));
    let answer = probe.var("MANAGED_DAEMONS_EXAMPLE_BIN", "exampled-7").ask();
    assert_eq!(answer.found()["version"], "7.7");
}

#[test]
fn an_empty_variable_is_none() {
    let places = Places::new();
    let answer = places.probe().var("MANAGED_DAEMONS_EXAMPLE_BIN", "").ask();
    assert_eq!(answer.found()["version"], "4.4");
}

#[test]
fn a_relative_directory_in_path_is_not_looked_at() {
    let places = Places::new();
    let mut command = places.probe().var("PATH", "path").command();
    let output = command.current_dir(places.directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("\"version\":\"4.4\""), "{text}");
}

#[test]
fn what_can_not_be_executed_is_passed_over() {
    let places = Places::new();
    std::fs::set_permissions(places.path("path/exampled"), Permissions::from_mode(0o644)).unwrap();
    let answer = places.probe().var("PATH", &places.text("path")).ask();
    assert_eq!(answer.found()["version"], "4.4");
}

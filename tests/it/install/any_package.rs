//! Programs from packages that the framework knows nothing of.

use super::probe::{cache_with_lists, public_directory, Probe};

#[test]
fn an_interpreter_is_fetched_if_it_is_the_package_asked_for() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let answer = Probe::fetching_package("python3", "python3", &cache)
        .tools(&["python3"])
        .verifying()
        .ask();
    assert!(answer.path().ends_with("root/usr/bin/python3"), "{}", answer.value);
    let version = answer.found()["tools"][0].as_str().unwrap();
    assert!(version.starts_with("Python 3."), "{version}");
}

#[test]
fn a_script_runs_with_the_interpreter_and_the_modules_of_its_installation() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let answer = Probe::fetching_package("aiosmtpd", "python3-aiosmtpd", &cache)
        .tools(&["aiosmtpd"])
        // Nothing was written beside the modules.
        .verifying()
        .ask();
    let version = answer.found()["tools"][0].as_str().unwrap();
    assert!(version.contains("aiosmtpd 1."), "{version}");
    assert_eq!(answer.found()["verified"], "whole");
}

#[test]
fn a_program_is_found_in_a_directory_that_the_system_would_have_a_link_to() {
    let directory = public_directory();
    let cache = cache_with_lists(directory.path());
    let answer = Probe::fetching_package("rc", "9base", &cache).ask();
    assert!(answer.path().ends_with("root/usr/lib/plan9/bin/rc"), "{}", answer.value);
}

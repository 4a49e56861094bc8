//! What an installation needs to have beside its daemon.

use std::path::Path;

use super::probe::{public_directory, write_program, Probe};

/// Makes a program with one module in a directory; returns the directory of the program.
fn install(directory: &Path, module: &str) -> String {
    write_program(&directory.join("bin"), "exampled", "exampled 2.1");
    std::fs::create_dir(directory.join("modules")).unwrap();
    std::fs::write(directory.join(format!("modules/mod_{module}.so")), "").unwrap();
    directory.join("bin").to_str().unwrap().to_owned()
}

#[test]
fn an_installation_without_one_is_passed_over() {
    let directory = public_directory();
    let [first, second] = ["one", "two"].map(|module| install(&directory.path().join(module), module));
    let cache = directory.path().join("cache");
    let probe = || Probe::of_program("exampled", "exampled ", &cache).var("PATH", &format!("{first}:{second}"));
    assert!(probe().ask().path().starts_with(&first));
    assert!(probe().add_on("two").ask().path().starts_with(&second));
}

#[test]
fn the_report_says_what_is_missing_and_what_is_there() {
    let directory = public_directory();
    let path = install(directory.path(), "one");
    let cache = directory.path().join("cache");
    let probe = || {
        Probe::of_program("exampled", "exampled ", &cache)
            .var("PATH", &path)
            .add_on("three")
    };
    let error = probe().ask().error();
    for expected in [
        "no usable binary of `exampled` with module `three`",
        "nothing is fetched because MANAGED_DAEMONS_PROVISION is `never`",
        "install one with module `three`, of `example-VERSION-three`, or name a binary with MANAGED_DAEMONS_EXAMPLE_BIN",
        "exampled: version 2.1, without module `three`, of the package `example-2-three`; it has one\n",
    ] {
        assert!(error.contains(expected), "no `{expected}` in:\n{error}");
    }
    let error = probe().named(&directory.path().join("bin/exampled")).ask().error();
    assert!(error.contains("the path given is the only place looked at"), "{error}");
    assert!(error.contains("without module `three`"), "{error}");
}

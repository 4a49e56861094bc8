//! What the compiler says about an attribute that is not right.

use std::process::Command;

/// The cases are in `ui/fail`, each with what the compiler says. After a change that is meant, `TRYBUILD=overwrite` in the
/// environment writes that anew.
#[test]
fn say_what_to_write() {
    const VARIABLE: &str = "RUSTC_WORKSPACE_WRAPPER";
    let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/rustc-test");
    if std::env::var_os(VARIABLE).is_some_and(|value| value == wrapper) {
        trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
        return;
    }
    // In a process of its own, as the environment is shared with the other tests in this one.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "macro_errors::say_what_to_write", "--nocapture"])
        .env(VARIABLE, wrapper)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{}", said.concat());
    assert!(
        said[0].contains("1 passed"),
        "the case has another name now: {}",
        said.concat()
    );
}

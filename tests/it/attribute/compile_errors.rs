//! What the compiler says about mistakes in an attribute.

use std::process::Command;

/// The cases are in `ui/fail`, each with the compiler's messages. `TRYBUILD=overwrite` updates the
/// messages.
#[test]
fn messages_say_what_to_write() {
    const VARIABLE: &str = "RUSTC_WORKSPACE_WRAPPER";
    let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/rustc-test");
    if std::env::var_os(VARIABLE).is_some_and(|value| value == wrapper) {
        trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
        return;
    }
    // In a process of its own, since the other tests of this one share its environment.
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "attribute::compile_errors::messages_say_what_to_write",
            "--nocapture",
        ])
        .env(VARIABLE, wrapper)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{}", said.concat());
    assert!(
        said[0].contains("1 passed"),
        "this test has another name now: {}",
        said.concat()
    );
}

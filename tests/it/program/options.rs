//! Options that say how a program runs.

use managed_daemons::{CommandDaemon, StopSignal};

use super::{shell, unruly};
use crate::support::eventually;

/// What the script has printed, once it is ready.
fn printed(daemon: &CommandDaemon) -> String {
    daemon.log().unwrap()
}

#[test]
fn arguments_variables_and_files_arrive_as_they_are() {
    let script = r#"printf '<%s>' "$@" "$VALUE"; cat etc/app.conf; echo; touch ready; sleep 100"#;
    let hostile = "a b'c\"d$e`f%g\\h\ni{{j}";
    let daemon = shell(script)
        .args(["sh", "", hostile, "-x"])
        .env("VALUE", hostile)
        .config_file(
            "etc/app.conf",
            "listen {host}:{port}; admin {port:admin}; in {dir}; {\"json\": 1}",
        )
        .ready_file("ready")
        .start()
        .unwrap();
    let plain = hostile.replace("{{", "{");
    let (port, admin) = (daemon.port(), daemon.port_named("admin").unwrap());
    let dir = daemon.working_dir().display();
    assert_eq!(
        printed(&daemon),
        format!("<><{plain}><-x><{plain}>listen 127.0.0.1:{port}; admin {admin}; in {dir}; {{\"json\": 1}}\n")
    );
    assert_ne!(port, admin);
}

#[test]
fn the_user_is_the_one_that_it_runs_as() {
    let daemon = shell("id -un; echo {user}; touch ready; sleep 100").ready_file("ready");
    let daemon = daemon.start().unwrap();
    let user = daemon.user();
    assert_eq!(printed(&daemon), format!("{user}\n{user}\n"));
}

#[test]
fn a_file_of_its_packages_is_found_wherever_they_are() {
    let mail = CommandDaemon::builder()
        .program("aiosmtpd")
        .package("python3-aiosmtpd")
        .package("media-types")
        .config_file("where", "{package:/etc/mime.types}")
        .args(["-n", "-l", "{host}:{port}"])
        .start()
        .unwrap();
    let types = std::fs::read_to_string(mail.working_dir().join("where")).unwrap();
    let text = std::fs::read_to_string(&types).unwrap();
    assert!(text.contains("text/html"), "{types}");
    assert_eq!(
        types == "/etc/mime.types",
        !mail.origin().to_string().contains("fetched")
    );
}

#[test]
fn what_names_a_file_that_the_package_lacks_is_left_out() {
    let script = r#"echo "$@" "<$HAS><$LACKS>"; cat app.conf; touch ready; sleep 100"#;
    let daemon = shell(script)
        .args(["sh", "{package?:/etc/passwd}", "{package?:/etc/no/such}", "last"])
        .env("HAS", "{package?:/etc/passwd}")
        .env("LACKS", "x{package?:/etc/no/such}")
        .config_file("app.conf", "a\nb {package?:/etc/no/such}\nc {package?:/etc/passwd}\n")
        .ready_file("ready")
        .start()
        .unwrap();
    let expected = "/etc/passwd last </etc/passwd><>\na\nc /etc/passwd\n";
    assert_eq!(printed(&daemon), expected);
}

#[test]
fn only_what_is_asked_for_is_inherited() {
    let language = std::env::var("LANG").unwrap_or_default();
    let script = "echo \"<$LANG><$TERM>\"; touch ready; sleep 100";
    let daemon = shell(script)
        .inherit_env(["LANG", "NO_SUCH_VARIABLE"])
        .ready_file("ready")
        .start();
    assert_eq!(printed(&daemon.unwrap()), format!("<{language}><>\n"));
}

#[test]
fn it_is_stopped_by_the_signal_of_its_choice() {
    let script = "trap 'echo got INT; exit' INT; touch ready; sleep 100 & wait";
    let daemon = shell(script)
        .stop_signal(StopSignal::Interrupt)
        .ready_file("ready")
        .start()
        .unwrap();
    daemon.stop().unwrap();
    assert_eq!(printed(&daemon), "got INT\n");
}

#[test]
fn variables_of_coverage_are_passed_on_and_make_its_end_graceful() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let note = dir.path().join("note");
    let script = format!(
        "trap 'touch {}; exit' TERM; touch ready; sleep 100 & wait",
        note.display()
    );
    let daemon = shell(&script)
        .inherit_env(["LLVM_PROFILE_FILE"])
        .ready_file("ready")
        .start()
        .unwrap();
    drop(daemon);
    eventually("was written", || note.exists().then_some(()).ok_or("no note"));
}

#[test]
fn two_have_ports_of_their_own() {
    let (one, another) = (unruly("well").start().unwrap(), unruly("well").start().unwrap());
    assert_ne!(one.port(), another.port());
    assert_eq!(one.url("http"), format!("http://127.0.0.1:{}/", one.port()));
    assert_eq!(one.address(), format!("127.0.0.1:{}", one.port()));
}

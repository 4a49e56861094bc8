//! Whole configurations that the user writes: their placeholders and mistakes.

use std::fs;

use super::client::header;
use super::{answer, get, ConfigSyntax, Server};
use crate::support::private_root;

super::on_both!(
    a_whole_configuration_can_be_text,
    a_whole_configuration_can_be_a_file_that_each_start_reads,
    a_clone_of_a_builder_has_a_configuration_of_its_own,
    misspelt_placeholders_and_names_are_reported,
    a_configuration_open_to_other_machines_is_refused,
    a_configuration_that_does_not_listen_is_refused,
    a_broken_configuration_fails_in_the_servers_words,
    a_path_that_no_configuration_can_hold_is_reported,
);

fn a_whole_configuration_can_be_text<S: ConfigSyntax>() {
    // What is not exactly a placeholder stays as it is.
    let same = "me@example.org,you@example.org @@ @Port@ @PORT:@ @PORT:A@ @PORT x@ @PORT";
    let value = format!("@PORT@@PORT:second@ @DIR@ @ROOT@ {same}");
    let text = S::whole(&S::header("X-Where", &value));
    let server = S::builder().listen("second").config(text).start().unwrap();
    let dir = server.working_dir().to_str().unwrap();
    let expected = format!(
        "{}{} {dir} {dir}/www {same}",
        server.port(),
        server.port_named("second").unwrap()
    );
    assert_eq!(header(&get(&server.url()), "x-where"), expected);
    server.wait_for_access("GET / ").unwrap();
}

fn a_whole_configuration_can_be_a_file_that_each_start_reads<S: ConfigSyntax>() {
    let root = private_root();
    let file = root.path().join("site.conf");
    let write = |value: &str| fs::write(&file, S::whole(&S::header("X-Version", value))).unwrap();
    write("one");
    let server = S::builder().config_file(&file).start().unwrap();
    assert_eq!(header(&get(&server.url()), "x-version"), "one");
    write("two");
    server.restart().unwrap();
    assert_eq!(header(&get(&server.url()), "x-version"), "two");
    write("three");
    server.reload().unwrap();
    assert_eq!(header(&get(&server.url()), "x-version"), "three");
    fs::remove_file(&file).unwrap();
    let error = server.reload().unwrap_err().report();
    assert!(error.contains("site.conf"), "{error}");
    assert_eq!(header(&get(&server.url()), "x-version"), "three");
}

fn a_clone_of_a_builder_has_a_configuration_of_its_own<S: ConfigSyntax>() {
    let version = |value: &str| S::whole(&S::header("X-Version", value));
    let builder = S::builder().config(version("one"));
    let other = builder.clone().config(version("two")).start().unwrap();
    let server = builder.start().unwrap();
    other.reconfigure(version("three")).unwrap();
    assert_eq!(header(&get(&server.url()), "x-version"), "one");
    assert_eq!(header(&get(&other.url()), "x-version"), "three");
}

fn misspelt_placeholders_and_names_are_reported<S: ConfigSyntax>() {
    let error = |text: &str| {
        let error = S::builder().listen("second").config(text).start().unwrap_err();
        error.report()
    };
    let report = error(&S::whole(&S::header("X", "@PROT@")));
    assert!(
        report.contains("no placeholder `@PROT@`") && report.contains("@PORT@"),
        "{report}"
    );
    let report = error(&S::whole(&S::header("X", "@PORT:thrid@")));
    assert!(
        report.contains("no port is named `thrid`") && report.contains("second"),
        "{report}"
    );
    for name in ["main", "odd", "Upper", "a b", "", "a;b", "twice"] {
        let builder = S::builder().listen("twice").listen(name);
        let report = builder.start().unwrap_err().report();
        assert!(report.contains("option `listen`"), "{report}");
    }
    let report = S::builder().server_config("a\0b").start().unwrap_err().report();
    assert!(report.contains("NUL"), "{report}");
}

fn a_configuration_open_to_other_machines_is_refused<S: ConfigSyntax>() {
    for address in ["@PORT@", "0.0.0.0:@PORT@", "[::]:@PORT@", "*:@PORT@"] {
        let text = S::whole("").replace("@LISTEN@", address);
        let report = S::builder().config(text).start().unwrap_err().report();
        assert!(
            report.contains("open to other machines") && report.contains("@LISTEN@"),
            "{report}"
        );
    }
}

fn a_configuration_that_does_not_listen_is_refused<S: ConfigSyntax>() {
    let text = S::whole("").replace("@LISTEN@", "127.0.0.1:1");
    let report = S::builder().config(text).start().unwrap_err().report();
    assert!(report.contains("does not listen"), "{report}");
}

fn a_broken_configuration_fails_in_the_servers_words<S: ConfigSyntax>() {
    let root = private_root();
    for server in ["nonsense_directive on;", "{ ' \""] {
        let report = S::builder()
            .temp_root(root.path())
            .config(S::whole(server))
            .start()
            .unwrap_err()
            .report();
        assert!(report.contains("ended in phase readiness"), "{report}");
        assert!(
            report.contains("service.conf") || report.contains("site.conf"),
            "{report}"
        );
    }
    let builder = Server::<S>::builder().temp_root(root.path());
    let report = builder
        .server_config("nonsense_directive x;")
        .start()
        .unwrap_err()
        .report();
    assert!(report.contains("nonsense_directive"), "{report}");
}

fn a_path_that_no_configuration_can_hold_is_reported<S: ConfigSyntax>() {
    let root = private_root();
    let dir = root.path().join("a dir");
    let whole = |inside: &str| S::builder().working_dir(&dir).config(S::whole(inside));
    let report = whole(&S::header("X", "@DIR@")).start().unwrap_err().report();
    assert!(report.contains("relative path"), "{report}");
    let server = whole(&S::header("X", "ok")).start().unwrap();
    fs::write(server.document_root().join("index.txt"), "relative").unwrap();
    assert_eq!(answer(&format!("{}/index.txt", server.url())).body, "relative");
    server.destroy().unwrap();
}

//! What is wrong with a deployed configuration is said with its file and line.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::files::{DeployedSyntax, Deployment};
use crate::support::{is_root, private_root};

super::super::on_both!(
    a_certificate_that_is_missing_is_named,
    a_host_that_nobody_knows_is_named,
    a_socket_that_is_not_here_is_named,
    options_for_nothing_are_refused,
    the_servers_errors_name_the_users_file,
    a_directory_that_the_server_cannot_enter_is_named,
    a_configuration_without_servers_is_refused,
    a_file_that_includes_itself_is_named,
);

fn line_of(text: &str, words: &str) -> usize {
    1 + text.lines().position(|line| line.contains(words)).unwrap()
}

fn a_certificate_that_is_missing_is_named<S: DeployedSyntax>() {
    let site = Deployment::new(&[("site.conf", S::SITE), ("htpasswd", "")]);
    let report = S::deployed()
        .config_file(site.path("site.conf"))
        .upstream("app", 9)
        .start()
        .unwrap_err()
        .report();
    let line = line_of(S::SITE, "/etc/letsencrypt");
    let expected = format!("site.conf:{line}: ");
    assert!(
        report.contains(&expected) && report.contains("does not exist"),
        "{report}"
    );
    assert!(
        report.contains("`tls`") && report.contains("`replace_path`"),
        "{report}"
    );
}

fn a_host_that_nobody_knows_is_named<S: DeployedSyntax>() {
    let site = Deployment::new(&[("site.conf", S::SITE), ("htpasswd", "")]);
    let report = S::deployed()
        .config_file(site.path("site.conf"))
        .tls()
        .start()
        .unwrap_err()
        .report();
    let line = line_of(S::SITE, "app:3000");
    let expected = format!("site.conf:{line}: host `app` can't be found");
    assert!(
        report.contains(&expected) && report.contains("`upstream(\"app:3000\", …)`"),
        "{report}"
    );
}

fn a_socket_that_is_not_here_is_named<S: DeployedSyntax>() {
    let text = S::passing_to_socket(80, "/run/no-such-dir/app.sock");
    let site = Deployment::new(&[("site.conf", &text)]);
    let started = S::deployed().config_file(site.path("site.conf")).start();
    let report = started.unwrap_err().report();
    let expected = "there is no socket `/run/no-such-dir/app.sock` here; say where it is with \
                    `upstream(\"unix:/run/no-such-dir/app.sock\", …)`";
    assert!(report.contains("site.conf:") && report.contains(expected), "{report}");
}

fn options_for_nothing_are_refused<S: DeployedSyntax>() {
    let site = Deployment::new(&[("main.conf", S::MAIN)]);
    let builder = || S::deployed().config_file(site.path("main.conf"));
    let report = |builder: managed_daemons::Builder<managed_daemons::Web<S>>| builder.start().unwrap_err().report();
    let unused = report(builder().upstream("app:3000", 9));
    assert!(unused.contains("passes nothing on to `app:3000`"), "{unused}");
    let unused = report(builder().replace_path("/srv/no-such", site.path("")));
    assert!(
        unused.contains("no path of the configuration begins with `/srv/no-such`"),
        "{unused}"
    );
    let missing = report(builder().replace_path("/srv", site.path("missing")));
    assert!(
        missing.contains("option `replace_path`") && missing.contains("can't be found"),
        "{missing}"
    );
    let invalid = report(builder().upstream("a b", 9));
    assert!(invalid.contains("\"a b\" is not a host"), "{invalid}");
    let with_path = report(builder().upstream("app", "http://127.0.0.1:9/api"));
    assert!(with_path.contains("has a path"), "{with_path}");
    let not_deployed = report(S::builder().upstream("app", 9));
    assert!(not_deployed.contains("as it is deployed"), "{not_deployed}");
}

fn the_servers_errors_name_the_users_file<S: DeployedSyntax>() {
    let root = private_root();
    let site = Deployment::new(&[
        ("main.conf", S::MAIN),
        (
            "sites/a.conf",
            &format!("\n\n{}\n{}", S::BROKEN.0, S::answering(80, 404)),
        ),
    ]);
    let builder = S::deployed().config_file(site.path("main.conf")).temp_root(root.path());
    let report = builder.start().unwrap_err().report();
    let file = site.path("sites/a.conf").display().to_string();
    let hint = report.lines().find(|line| line.contains(&file));
    let hint = hint.unwrap_or_else(|| panic!("{report}"));
    assert!(hint.contains(S::BROKEN.1) && hint.contains('3'), "{report}");
}

fn a_directory_that_the_server_cannot_enter_is_named<S: DeployedSyntax>() {
    if !is_root() {
        return; // Here the server runs as the test's user.
    }
    let private = Permissions::from_mode(0o700);
    let pages = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let directive = S::serving(&pages.path().display().to_string());
    let site = Deployment::new(&[("site.conf", &directive)]);
    let report = S::deployed()
        .config_file(site.path("site.conf"))
        .start()
        .unwrap_err()
        .report();
    assert!(
        report.contains("site.conf:2: ") && report.contains("has mode 0700"),
        "{report}"
    );
}

fn a_configuration_without_servers_is_refused<S: DeployedSyntax>() {
    let main = S::MAIN.replace("Listen 80\n", "");
    let line = line_of(&main, "sites/*.conf");
    let site = Deployment::new(&[("main.conf", &main), ("part.conf", S::PART)]);
    let report = |file: &str| {
        let started = S::deployed().config_file(site.path(file)).start();
        started.unwrap_err().report()
    };
    let (empty, part) = (report("main.conf"), report("part.conf"));
    let expected = format!("main.conf:{line}: `");
    assert!(empty.contains("has no server, and there is no file for "), "{empty}");
    assert!(
        empty.contains(&expected) && empty.contains("sites/*.conf`; say where"),
        "{empty}"
    );
    let expected = "part.conf` has no server; if it is a part of a configuration, give the file that includes it";
    assert!(part.contains(expected), "{part}");
}

fn a_file_that_includes_itself_is_named<S: DeployedSyntax>() {
    let report = |files: &[(&str, &str)]| {
        let site = Deployment::new(files);
        let started = S::deployed().config_file(site.path("site.conf")).start();
        started.unwrap_err().report()
    };
    let include = |file: &str| format!("{}{}", S::answering(80, 204), S::including(file));
    let line = line_of(&include("x.conf"), "x.conf");

    let said = report(&[("site.conf", &include("site.conf"))]);
    let expected = format!("site.conf:{line}: `{} site.conf` includes `", S::INCLUDE);
    assert!(
        said.contains(&expected) && said.contains("site.conf` in itself"),
        "{said}"
    );

    let said = report(&[
        ("site.conf", &include("parts/*.conf")),
        ("parts/a.conf", &S::including("parts/*.conf")),
    ]);
    let expected = format!("a.conf:1: `{} parts/*.conf` includes `", S::INCLUDE);
    assert!(said.contains(&expected) && said.contains("a.conf` in itself"), "{said}");

    let names: Vec<(String, String)> = (0..200)
        .map(|n| (format!("{n}.conf"), S::including(&format!("{}.conf", n + 1))))
        .collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (&**name, &**text)).collect();
    let first = include("0.conf");
    files.extend([("site.conf", &*first), ("200.conf", "")]);
    let said = report(&files);
    let expected = format!("98.conf:1: `{} 99.conf` is nested in 100 files", S::INCLUDE);
    assert!(said.contains(&expected), "{said}");
}

//! A reload reads all files of a deployed configuration again.

use super::super::{answer, Server};
use super::files::DeployedSyntax;
use super::Deployment;

super::super::on_both!(
    a_reload_reads_all_files_again,
    a_broken_file_is_refused_with_its_own_name,
    a_port_that_is_new_is_reserved,
);

fn deployment<S: DeployedSyntax>() -> Deployment {
    Deployment::new(&[("main.conf", S::MAIN), ("sites/a.conf", &S::answering(80, 410))])
}

fn a_reload_reads_all_files_again<S: DeployedSyntax>() {
    let site = deployment::<S>();
    site.write("sites/b.conf", &S::answering(8080, 403));
    let server = S::deployed().config_file(site.path("main.conf")).start().unwrap();
    let (first, second) = (server.url_of("80").unwrap(), server.url_of("8080").unwrap());
    assert_eq!((answer(&first).status, answer(&second).status), (410, 403));
    site.write("sites/a.conf", &S::answering(80, 404));
    std::fs::remove_file(site.path("sites/b.conf")).unwrap();
    server.reload().unwrap();
    assert_eq!(answer(&first).status, 404);
    assert_eq!(server.url_of("8080"), None, "it listens on this port no longer");
    site.write("sites/c.conf", &S::answering(8080, 410));
    server.reload().unwrap();
    assert_eq!(answer(&second).status, 410);
}

fn a_broken_file_is_refused_with_its_own_name<S: DeployedSyntax>() {
    let site = deployment::<S>();
    let server = S::deployed().config_file(site.path("main.conf")).start().unwrap();
    site.write(
        "sites/a.conf",
        &format!("{}\nnonsense_directive on;\n", S::answering(80, 404)),
    );
    for refused in [server.config_test(), server.reload()] {
        let report = refused.unwrap_err().report();
        let file = site.path("sites/a.conf").display().to_string();
        assert!(
            report.contains("nonsense_directive") && report.contains(&file),
            "{report}"
        );
    }
    assert_eq!(answer(&server.url()).status, 410);
    site.write("sites/a.conf", &S::answering(80, 404));
    server.reload().unwrap();
    assert_eq!(answer(&server.url()).status, 404);
}

fn a_port_that_is_new_is_reserved<S: DeployedSyntax>() {
    let site = deployment::<S>();
    let server = S::deployed().config_file(site.path("main.conf")).start().unwrap();
    site.write("sites/b.conf", &S::answering(9000, 404));
    server.reload().unwrap();
    let url = server.url_of("9000").unwrap();
    assert_eq!((answer(&server.url()).status, answer(&url).status), (410, 404));
    server.restart().unwrap();
    assert_eq!(answer(&url).status, 404);
    let server = Server::<S>::load(server.detach().unwrap()).unwrap();
    assert_eq!(server.url_of("9000").as_ref(), Some(&url));
    assert_eq!((answer(&server.url()).status, answer(&url).status), (410, 404));
}

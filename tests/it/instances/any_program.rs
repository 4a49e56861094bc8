//! Any program as a daemon of an instance, and of a project's file.

use super::Instances;
use crate::support::program;

fn orders(url: &str) -> String {
    let answer = ureq::get(format!("{url}orders")).call().unwrap();
    answer.into_body().read_to_string().unwrap()
}

#[test]
fn it_is_added_to_what_runs_and_starts_again_as_it_was() {
    let instances = Instances::new();
    instances.write_file("[postgres]\n");
    instances.run(&["start", "dev"]);
    let sql = "CREATE TABLE orders AS SELECT 7 AS id";
    instances.run(&["psql", "dev", "-qc", sql]);
    let command = format!("shop={}", program!("shop").display());
    let options = [
        "--daemon-env",
        "DATABASE_URL={postgres.url}",
        "--daemon-env",
        "PORT={port}",
        "--ready-http",
        "/health",
    ];
    let shown = instances.shown(&[&["start", "dev", "--command", &command], &options[..]].concat());
    let shop = shown.iter().find(|daemon| daemon.name == "shop").unwrap().clone();
    assert_eq!(shop.title, "shop");
    assert_eq!(orders(&shop.url), "1");

    instances.run(&["stop", "dev"]);
    let again = instances.shown(&["start", "dev"]);
    let again = again.iter().find(|daemon| daemon.name == "shop").unwrap();
    assert_eq!((&again.url, &again.dir), (&shop.url, &shop.dir));
    assert_eq!(orders(&again.url), "1");
    instances.run(&["restart", "dev", "shop"]);
    assert_eq!(orders(&again.url), "1");
    instances.run(&["remove", "dev"]);
}

#[test]
fn a_section_with_a_command_is_any_program() {
    let instances = Instances::new();
    // A relative path starts at the file's directory.
    std::os::unix::fs::symlink(program!("shop"), instances.project.path().join("my shop")).unwrap();
    instances.write_file(
        "[shop]\ncommand = \"'./my shop'\"\nready-http = \"/health\"\n\n[shop.daemon-env]\nPORT = \"{port}\"\nDATABASE_URL \
         = \"{database.url}\"\n\n[database]\ndaemon = \"postgres\"\n",
    );
    let printed = instances.run(&["run", "--", "sh", "-c", "echo $SHOP_URL $DATABASE_HOST"]);
    assert!(printed.starts_with("http://127.0.0.1:"), "{printed}");
    assert!(printed.ends_with("/ 127.0.0.1\n"), "{printed}");
}

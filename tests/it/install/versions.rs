//! Version numbers, and the requirements that users write.

use managed_daemons::{BinarySpec, Requirement, Version};

use super::probe::{public_directory, write_program, Probe};

fn accepts(requirement: &str, version: &str) -> bool {
    let version = Version::parse(version).unwrap();
    Requirement::parse(requirement).unwrap().accepts(&version)
}

#[test]
fn a_requirement_accepts_what_it_says() {
    for (requirement, yes, no) in [
        (
            "15",
            &["15", "15.0", "15.13", "15beta1", "15.4.2.1"][..],
            &["14.9", "16", "150.1"][..],
        ),
        ("8.0", &["8.0", "8.0.36", "8.0.36-0ubuntu1"], &["8.1.0", "18.0"]),
        ("15.4", &["15.4", "15.4.1"], &["15.40", "15.3"]),
        ("=7", &["7.2.4"], &["6.2"]),
        ("7.x", &["7.2.4"], &["8.0"]),
        ("10.11", &["10.11.19-MariaDB"], &["10.6.1-MariaDB"]),
        (">=6, <8", &["6.0.0", "7.9.9"], &["5.9", "8.0.0"]),
        (">15", &["16.0"], &["15.9", "15"]),
        ("<=15", &["15.9", "3"], &["16.0"]),
        (">=15.4", &["15.4", "16"], &["15.3"]),
        ("<7.2", &["7.1.9"], &["7.2.0"]),
        ("^7.2", &["7.2", "7.9"], &["7.1", "8.0"]),
        ("~7.2", &["7.2.9"], &["7.3"]),
        (">=6,!=7.0", &["7.2", "6"], &["7.0.15"]),
        ("*", &["0.1"], &[]),
        (" v7 ", &["7.0"], &["8.0"]),
    ] {
        for version in yes {
            assert!(accepts(requirement, version), "`{requirement}` must accept {version}");
        }
        for version in no {
            assert!(
                !accepts(requirement, version),
                "`{requirement}` must not accept {version}"
            );
        }
    }
}

#[test]
fn a_malformed_requirement_is_an_error() {
    for text in [
        "",
        "newest",
        ">=",
        "7..0",
        "7.a",
        "-1",
        "7, ,8",
        "x",
        "7.0-rc1",
        "99999999999999999999999",
    ] {
        assert!(
            Requirement::parse(text).is_err(),
            "`{text}` was taken for a requirement"
        );
    }
}

#[test]
fn versions_have_numbers_and_text() {
    for (text, numbers, shown) in [
        ("7.0.15 sha=00000000:0", &[7, 0, 15][..], "7.0.15"),
        ("15.13 (Debian 15.13-0+deb12u1)", &[15, 13], "15.13"),
        (
            "10.11.19-MariaDB-0+deb12u1",
            &[10, 11, 19],
            "10.11.19-MariaDB-0+deb12u1",
        ),
        ("18beta1", &[18], "18beta1"),
        ("2.4.62", &[2, 4, 62], "2.4.62"),
        ("1.2.3.4,", &[1, 2, 3, 4], "1.2.3.4"),
    ] {
        let version = Version::parse(text).unwrap();
        assert_eq!((version.numbers(), version.as_str()), (numbers, shown));
    }
    assert!(Version::parse("v7").is_none());
    assert!(Version::parse("").is_none());
    assert!(Version::parse(".5").is_none());
}

#[test]
fn versions_are_ordered_by_number() {
    let version = |text| Version::parse(text).unwrap();
    assert!(version("9.6") < version("10.1"));
    assert!(version("7.0") < version("7.0.1"));
    assert_eq!(version("7"), version("7.0.0"));
}

#[test]
fn a_version_that_is_too_old_is_refused_before_anything_is_fetched() {
    let directory = public_directory();
    let cache = directory.path().join("cache");
    for spec in BinarySpec::known() {
        for asked in ["0.9", "<1", "<=1.0.1", "^0.9", ">=0.5, <1"] {
            let error = Probe::fetching(spec.daemon(), &cache).version(asked).ask().error();
            let expected = format!("{}: option `version`: `{asked}` is older than ", spec.daemon());
            assert!(error.starts_with(&expected), "no `{expected}` in:\n{error}");
            assert!(error.ends_with(", the oldest that works"), "{error}");
        }
    }
    assert!(!cache.exists(), "something was fetched");
    let error = Probe::fetching("postgres", &cache).version("9.6").ask().error();
    assert_eq!(
        error,
        "postgres: option `version`: `9.6` is older than 10, the oldest that works"
    );
}

#[test]
fn an_installed_version_that_is_too_old_is_passed_over_and_named() {
    let directory = public_directory();
    let at = |below: &str| directory.path().join(below);
    let old = write_program(&at("old"), "redis-server", "Redis server v=5.0.14 sha=0");
    let new = write_program(&at("new"), "redis-server", "Redis server v=6.0.16 sha=0");
    let path = |names: &[&str]| {
        std::env::join_paths(names.iter().map(|name| at(name)))
            .unwrap()
            .into_string()
            .unwrap()
    };
    let probe = || Probe::new("redis", &at("cache"));
    let found = probe().var("PATH", &path(&["old", "new"])).ask();
    assert_eq!(found.path(), new);
    let said = "version 5.0.14, older than 6.0, the oldest that works";
    let error = probe().named(&old).ask().error();
    assert!(error.contains(said), "no `{said}` in:\n{error}");
    let mariadb = write_program(
        &at("maria"),
        "mysqld",
        "mysqld  Ver 10.4.32-MariaDB for Linux on x86_64",
    );
    let error = Probe::new("mysql", &at("cache")).named(&mariadb).ask().error();
    assert!(error.contains("is MariaDB: "), "{error}");
    let error = Probe::new("mariadb", &at("cache")).named(&mariadb).ask().error();
    assert!(error.contains("older than 10.5, the oldest that works"), "{error}");
}

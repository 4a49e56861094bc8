//! What a user reads when no binary is suitable.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::probe::{public_directory, script, write_program, Probe};
use crate::support::{is_root, sudo};

#[test]
fn the_report_lists_every_place_and_what_was_there() {
    let directory = public_directory();
    let at = |below: &str| directory.path().join(below);
    write_program(&at("one"), "exampled", "exampled 13.4");
    write_program(&at("two"), "exampled", "no number at all");
    write_program(&at("known/14.1/bin"), "exampled", "exampled 14.1");
    let path = format!("{}:{}", at("one").display(), at("two").display());
    let probe = Probe::of_program("exampled", "exampled ", &at("cache")).var("PATH", &path);
    let error = probe
        .well_known(at("known/*/bin").to_str().unwrap())
        .version("15")
        .ask()
        .error();
    for expected in [
        "example: no usable binary of `exampled`, version 15\n".to_owned(),
        "looked in:\n".to_owned(),
        format!("{}: version 13.4", at("one/exampled").display()),
        format!(
            "{}: printed no version, but `no number at all`",
            at("two/exampled").display()
        ),
        format!("PATH ({path}): no other `exampled`"),
        format!("{}: version 14.1", at("known/14.1/bin/exampled").display()),
        "well-known places (".to_owned(),
        "nothing fetched yet".to_owned(),
        "or name a binary with MANAGED_DAEMONS_EXAMPLE_BIN".to_owned(),
    ] {
        assert!(error.contains(&expected), "no `{expected}` in:\n{error}");
    }
}

#[test]
fn a_named_binary_that_does_not_run_is_an_error_at_once() {
    let directory = public_directory();
    let at = |below: &str| directory.path().join(below);
    write_program(&at("path"), "exampled", "exampled 1.0");
    let broken = at("broken");
    script(&broken, "not a program");
    let text = at("text");
    std::fs::write(&text, "not a program").unwrap();
    let failing = write_program(&at("failing"), "exampled", "x");
    script(&failing, "#!/bin/sh\necho no such option >&2; exit 3\n");
    std::fs::create_dir(at("empty")).unwrap();
    for (named, reason) in [
        ("missing", "not there"),
        ("broken", "does not run"),
        ("text", "not executable"),
        ("failing/exampled", "exit status: 3: no such option"),
        ("empty", "a directory without `exampled`"),
    ] {
        let probe = || {
            let probe = Probe::of_program("exampled", "exampled ", &at("cache"));
            probe.var("PATH", at("path").to_str().unwrap())
        };
        let by_path = probe().named(&at(named)).ask().error();
        let by_variable = probe()
            .var("MANAGED_DAEMONS_EXAMPLE_BIN", at(named).to_str().unwrap())
            .ask()
            .error();
        for (error, place) in [
            (by_path, "the path given"),
            (by_variable, "MANAGED_DAEMONS_EXAMPLE_BIN"),
        ] {
            assert!(error.contains(reason), "no `{reason}` in:\n{error}");
            let only = format!("{place} is the only place looked at");
            assert!(error.contains(&only), "no `{only}` in:\n{error}");
        }
    }
}

#[test]
fn a_named_binary_of_the_wrong_version_is_an_error() {
    let directory = public_directory();
    let binary = write_program(directory.path(), "exampled", "exampled 1.0");
    let probe = Probe::of_program("exampled", "exampled ", &directory.path().join("cache"));
    let error = probe.named(&binary).version("2").ask().error();
    assert!(error.contains("exampled`: version 1.0"), "{error}");
}

#[test]
fn a_malformed_requirement_is_answered_with_examples() {
    let directory = public_directory();
    let probe = Probe::of_program("exampled", "", directory.path());
    let error = probe.version("the newest").ask().error();
    let expected = "option `version`: `the newest` is not a version; write it like `15`, `7.0` or `>=6, <8`";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_program_that_hangs_when_asked_for_its_version_is_given_up() {
    let directory = public_directory();
    let binary = write_program(directory.path(), "exampled", "x");
    script(&binary, "#!/bin/sh\nexec /bin/sleep 60\n");
    let probe = Probe::of_program("exampled", "", &directory.path().join("cache"));
    let error = probe.named(&binary).ask().error();
    assert!(error.contains("printed no version within 10 s"), "{error}");
}

#[test]
fn variables_with_wrong_values_are_named() {
    let directory = public_directory();
    let probe = || Probe::new("redis", directory.path());
    let error = probe().var("MANAGED_DAEMONS_PROVISION", "sometimes").ask().error();
    let expected = "`sometimes` is not a value of this variable; write `auto`";
    assert!(
        error.contains("MANAGED_DAEMONS_PROVISION") && error.contains(expected),
        "{error}"
    );
    for (value, problem) in [
        ("relative/cache", "is not an absolute path"),
        ("/a:b", "must not contain any of"),
    ] {
        let probe = probe()
            .var("MANAGED_DAEMONS_CACHE", value)
            .var("MANAGED_DAEMONS_PROVISION", "only");
        let error = probe.ask().error();
        assert!(
            error.contains("MANAGED_DAEMONS_CACHE") && error.contains(problem),
            "{error}"
        );
    }
}

#[test]
fn a_binary_that_the_daemons_user_cannot_execute_is_skipped_and_named() {
    if !is_root() {
        return;
    }
    let directory = public_directory();
    let hidden = directory.path().join("hidden");
    let binary = write_program(&hidden, "exampled", "exampled 1.0");
    std::fs::set_permissions(&hidden, Permissions::from_mode(0o700)).unwrap();
    let probe = || Probe::of_program("exampled", "exampled ", &directory.path().join("cache"));
    let error = probe().var("PATH", hidden.to_str().unwrap()).ask().error();
    let expected = format!(
        "{}: daemons run as user `nobody`, who has no access: `{}` has mode 0700",
        binary.display(),
        hidden.display()
    );
    assert!(error.contains(&expected), "no `{expected}` in:\n{error}");
    // The next place is used instead. Daemons that run as root can use the first one.
    let open = write_program(&directory.path().join("open"), "exampled", "exampled 2.0");
    let path = format!("{}:{}", hidden.display(), open.parent().unwrap().display());
    assert_eq!(probe().var("PATH", &path).ask().path(), open);
    let as_root = probe().var("PATH", &path).var("MANAGED_DAEMONS_USER", "root").ask();
    assert_eq!(as_root.path(), binary);
}

/// A machine with this package manager, and without any daemon.
fn machine_with(manager: &str, answers: &str, daemon: &str) -> (tempfile::TempDir, Probe) {
    let directory = public_directory();
    let bin = directory.path().join("bin");
    let program = write_program(&bin, manager, "");
    script(&program, &format!("#!/bin/sh\n{answers}\n"));
    let probe = Probe::new(daemon, &directory.path().join("cache"))
        .var("PATH", bin.to_str().unwrap())
        .var("MANAGED_DAEMONS_PROVISION", "never");
    (directory, probe)
}

#[test]
fn without_fetching_the_package_that_helps_is_named_for_each_package_manager() {
    for (manager, daemon, version, command) in [
        ("dnf", "redis", None, "SUDO dnf install redis"),
        ("dnf", "postgres", Some("16"), "SUDO dnf install postgresql16-server"),
        ("dnf", "apache", None, "SUDO dnf install httpd"),
        ("pacman", "rabbitmq", None, "SUDO pacman -S rabbitmq"),
        ("apk", "memcached", None, "SUDO apk add memcached"),
        ("apk", "postgres", Some("17"), "SUDO apk add postgresql17"),
        ("brew", "nginx", None, "brew install nginx"),
        ("brew", "postgres", Some(">=14, <16"), "brew install postgresql@17"),
        ("brew", "mysql", None, "brew install mysql"),
    ] {
        let command = command.replace("SUDO ", sudo());
        let (_directory, probe) = machine_with(manager, "", daemon);
        let probe = if let Some(version) = version {
            probe.version(version)
        } else {
            probe.version("*")
        };
        let answer = probe.ask();
        if !answer.value["error"].is_string() {
            continue; // it is installed here, in a well-known place
        }
        let error = answer.error();
        let variable = format!("MANAGED_DAEMONS_{}_BIN", daemon.to_uppercase());
        assert!(
            error.contains("nothing is fetched because MANAGED_DAEMONS_PROVISION is `never`"),
            "{error}"
        );
        assert!(error.contains(&format!("`{command}`")), "no `{command}` in:\n{error}");
        assert!(
            error.contains(&format!("or name a binary with {variable}")),
            "no {variable} in:\n{error}"
        );
    }
}

/// What apt-cache prints on Debian 12.
const APT_CACHE: &str = r#"
for name; do
    case $name in
        postgresql) printf '%s:\n  Installed: (none)\n  Candidate: 15+248\n' $name;;
        redis-server) printf '%s:\n  Installed: (none)\n  Candidate: 5:7.0.15-1~deb12u1\n' $name;;
        mysql-server-core) printf '%s:\n  Installed: (none)\n  Candidate: (none)\n' $name;;
    esac
done
"#;

#[test]
fn without_fetching_apt_is_named_only_for_what_it_has() {
    let ask = |daemon: &str, version: &str| {
        let (_directory, probe) = machine_with("apt-cache", APT_CACHE, daemon);
        let apt = _directory.path().join("bin");
        write_program(&apt, "apt-get", "");
        probe.version(version).ask()
    };
    for (daemon, version, expected) in [
        ("redis", "7", "apt-get install redis-server`"),
        ("redis", "8", "has `redis-server` 7.0.15-1~deb12u1 only: "),
        ("postgres", "14", "has `postgresql` 15+248 only: "),
        ("mysql", "9", "has no package of it: "),
        ("mysql", "9", "or use `mariadb`, which most clients can use as well"),
        (
            "mysql",
            "9",
            "or install one by hand and name it with MANAGED_DAEMONS_MYSQL_BIN",
        ),
    ] {
        let error = ask(daemon, version).error();
        assert!(error.contains(expected), "no `{expected}` in:\n{error}");
    }
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if release.lines().any(|line| line == "ID=debian") {
        let error = ask("mysql", "9").error();
        let expected =
            "try a later suite of Debian, such as `sid`, with the option `suite(\"sid\")`, `--suite sid` or \
             MANAGED_DAEMONS_MYSQL_SUITE=sid and MANAGED_DAEMONS_PROVISION=auto";
        assert!(error.contains(expected), "no `{expected}` in:\n{error}");
        let error = ask("redis", "99").error();
        let expected = match release.contains("trixie") {
            true => "`--suite sid` or MANAGED_DAEMONS_REDIS_SUITE=sid",
            false => "`--suite trixie` or MANAGED_DAEMONS_REDIS_SUITE=trixie",
        };
        assert!(error.contains(expected), "no `{expected}` in:\n{error}");
    }
}

#[test]
fn where_apt_can_not_be_asked_it_is_named_with_the_usual_package() {
    let (directory, probe) = machine_with("apt-cache", "exit 1", "redis");
    write_program(&directory.path().join("bin"), "apt-get", "");
    let error = probe.version("99").ask().error();
    let expected = format!(
        "install it with `{}apt-get install redis-server`, or name a binary with MANAGED_DAEMONS_REDIS_BIN",
        sudo()
    );
    assert!(error.contains(&expected), "no `{expected}` in:\n{error}");
}

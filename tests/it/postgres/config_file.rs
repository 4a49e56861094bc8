//! The `postgresql.conf` that is deployed.

use std::fs;
use std::path::Path;

use managed_daemons::{Phase, PostgresBuilder, PostgresDaemon};
use tempfile::TempDir;

use super::{builder, single, start, value};
use crate::support::{deploy, failure_in, private_root};

const CONFIG_FILE: &str = "postgresql.conf";

/// A file as Debian's package writes it, in the parts that matter, with what people add.
const DEPLOYED: &str = "\
data_directory = '/var/lib/postgresql/15/main'\t# use data in another directory
hba_file = '/etc/postgresql/15/main/pg_hba.conf'
ident_file = '/etc/postgresql/15/main/pg_ident.conf'
external_pid_file = '/var/run/postgresql/15-main.pid'
listen_addresses = '*'
port = 5432
unix_socket_directories = '/var/run/postgresql, /tmp'
unix_socket_group = 'postgres'
ssl = off
ssl_cert_file = '/etc/ssl/certs/ssl-cert-snakeoil.pem'
Max_Connections 30
dynamic_shared_memory_type = posix
fsync = on
archive_mode = on
archive_command = 'cp %p /mnt/archive/%f'
restore_command = 'cp /mnt/archive/%f %p'
synchronous_standby_names = 'berlin'
logging_collector = on
log_directory = '/var/log/postgresql'
log_line_prefix = '%m [%p] '
include_dir '/etc/postgresql/15/main/conf.d'
include_if_exists = 'missing.conf'
";

fn deployed(text: &str) -> (TempDir, PostgresBuilder) {
    let (dir, path) = deploy(CONFIG_FILE, &[("postgresql.conf", text)]);
    (dir, builder().config_file(path))
}

/// What of an error names the only line of the file.
fn line_of(dir: &TempDir, number: usize) -> String {
    format!("`{}`, line {number}: ", dir.path().join(CONFIG_FILE).display())
}

#[test]
fn a_deployed_file_and_what_it_includes_are_used_but_for_what_is_ours() {
    let (dir, path) = deploy(
        CONFIG_FILE,
        &[
            ("postgresql.conf", DEPLOYED),
            (
                "conf.d/10-memory.conf",
                "work_mem = '12MB'\ninclude '../shared/time.conf'",
            ),
            ("conf.d/20-memory.conf", "maintenance_work_mem = 20MB"),
            ("conf.d/.hidden.conf", "nonsense"),
            ("conf.d/readme.txt", "nonsense"),
            ("shared/time.conf", "timezone = 'UTC'\nstatement_timeout = '7s'"),
        ],
    );
    let daemon = start(builder().config_file(&path).setting("maintenance_work_mem", "30MB"));
    for (name, expected) in [
        ("max_connections", "30"),
        ("fsync", "on"),
        ("work_mem", "12MB"),
        ("statement_timeout", "7s"),
        ("maintenance_work_mem", "30MB"),
        ("archive_mode", "off"),
        ("synchronous_standby_names", ""),
        ("log_line_prefix", "%m [%p] "),
        ("listen_addresses", "127.0.0.1"),
        ("autovacuum", "off"), // our default, on which the file is silent
    ] {
        assert_eq!(value(&daemon, &format!("SHOW {name}")), expected, "{name}");
    }
    assert!(Path::new(&value(&daemon, "SHOW data_directory")).starts_with(daemon.working_dir()));
    assert!(daemon.log().unwrap().contains("ready to accept connections"));
    assert_eq!(fs::read_to_string(&path).unwrap(), DEPLOYED);
    drop(dir);
}

#[test]
fn it_is_read_again_by_a_reload_and_by_a_later_start() {
    let (dir, path) = deploy(CONFIG_FILE, &[("postgresql.conf", "work_mem = 12MB")]);
    let root = private_root();
    let at = root.path().join("mine");
    let daemon = start(builder().config_file(&path).working_dir(&at));
    fs::write(&path, "work_mem = 13MB").unwrap();
    daemon.reload().unwrap();
    crate::support::eventually("it uses the changed file", || {
        let rows = daemon.query("SHOW work_mem").map_err(|error| error.report())?;
        match single(&rows).as_str() {
            "13MB" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    fs::write(&path, "include 'gone.conf'").unwrap();
    let error = daemon.reload().unwrap_err().to_string();
    assert!(
        error.contains("can't include") && error.contains("gone.conf"),
        "{error}"
    );
    fs::write(&path, "work_mem = 14MB").unwrap();
    daemon.stop().unwrap();
    drop(daemon);
    let daemon = PostgresDaemon::load(&at).unwrap();
    daemon.start_if_not_running().unwrap();
    assert_eq!(value(&daemon, "SHOW work_mem"), "14MB");
    drop(dir);
}

#[test]
fn it_takes_part_in_making_the_data_where_sql_runs() {
    let (_dir, path) = deploy(CONFIG_FILE, &[("postgresql.conf", "")]);
    for amount in ["5MB", "6MB"] {
        // The last two are not for the server that fills a template.
        let major: u32 = start(builder()).version().split('.').next().unwrap().parse().unwrap();
        let summaries = if major >= 17 { "summarize_wal = on" } else { "" };
        fs::write(&path, format!("work_mem = {amount}\narchive_mode = on\n{summaries}")).unwrap();
        let sql = "CREATE TABLE seen AS SELECT current_setting('work_mem') AS amount";
        let daemon = start(builder().config_file(&path).init_sql(sql));
        assert_eq!(value(&daemon, "SELECT amount FROM seen"), amount);
    }
}

#[test]
fn tls_is_what_the_test_asks_for() {
    let text = "ssl = on\nssl_cert_file = '/etc/ssl/db.crt'\nssl_key_file = '/etc/ssl/db.key'\nssl_min_protocol_version = 'TLSv1.3'";
    let (dir, deployed) = deployed(text);
    let report = failure_in(Phase::Configure, deployed.clone());
    assert!(report.contains(&line_of(&dir, 1)), "{report}");
    assert!(
        report.contains("`/etc/ssl/db.crt`, `/etc/ssl/db.key`") && report.contains("`tls()`"),
        "{report}"
    );
    let daemon = start(deployed.clone().setting("ssl", "off"));
    assert_eq!(value(&daemon, "SHOW ssl"), "off");
    let daemon = start(deployed.tls());
    assert_eq!(value(&daemon, "SHOW ssl_min_protocol_version"), "TLSv1.3");
    assert!(daemon.tls_url().is_some());
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_line() {
    let report = failure_in(Phase::Configure, builder().config_file("no/such/postgresql.conf"));
    assert!(
        report.contains("could not read the configuration `") && report.contains("/no/such/postgresql.conf`"),
        "{report}"
    );
    for (line, path) in [
        ("include 'gone.conf'", "gone.conf"),
        ("include_dir = 'gone.d'", "gone.d"),
        ("include '/etc/gone/x.conf'", "/etc/gone/x.conf"),
    ] {
        let (dir, builder) = deployed(&format!("# comment\n\n{line}"));
        let report = failure_in(Phase::Configure, builder);
        assert!(report.contains(&line_of(&dir, 3)) && report.contains(path), "{report}");
        assert!(report.contains("No such file or directory"), "{report}");
    }
    let (dir, builder) = deployed("include 'postgresql.conf'");
    let report = failure_in(Phase::Configure, builder);
    assert!(
        report.contains(&line_of(&dir, 1)) && report.contains("more than 10 deep"),
        "{report}"
    );
}

#[test]
fn what_the_server_refuses_is_named_with_its_line() {
    for (text, number, words) in [
        (
            "# x\nwork_memm = 4MB",
            2,
            "unrecognized configuration parameter \"work_memm\"",
        ),
        (
            "fsync = off\nwork_mem = lots",
            2,
            "invalid value for parameter \"work_mem\": \"lots\"",
        ),
        ("work_mem = 'open", 1, "syntax error, near token"),
        (
            "timezone = 'Mars/Base'",
            1,
            "invalid value for parameter \"TimeZone\": \"Mars/Base\"",
        ),
        (
            "lc_messages = 'xx_YY.UTF-8'",
            1,
            "invalid value for parameter \"lc_messages\": \"xx_YY.UTF-8\"",
        ),
        (
            "\nmax_worker_processes = 100000000",
            2,
            "100000000 is outside the valid range",
        ),
        (
            "shared_preload_libraries = 'pg_gone'",
            1,
            "the library `pg_gone` is not in this installation",
        ),
    ] {
        let (dir, builder) = deployed(text);
        let report = failure_in(Phase::Readiness, builder);
        let expected = line_of(&dir, number);
        assert!(report.contains(&format!("{expected}{words}")), "{text}: {report}");
    }
}

#[test]
fn what_this_machine_does_not_have_is_named_and_can_be_replaced() {
    let text = "max_connections = 500\nshared_buffers = 4000GB\nlisten_addresses = '*'";
    let (dir, builder) = deployed(text);
    let report = failure_in(Phase::Readiness, builder.clone());
    assert!(
        report.contains(&format!("{}`shared_buffers = 4000GB`", line_of(&dir, 2))),
        "{report}"
    );
    assert!(report.contains("`setting` replaces them"), "{report}");
    let daemon = start(builder.setting("shared_buffers", "1MB").setting("max_connections", "7"));
    assert_eq!(value(&daemon, "SHOW max_connections"), "7");
}

#[test]
fn a_refused_line_is_also_named_where_sql_runs() {
    let (dir, builder) = deployed("# x\nwork_mem = lots");
    let report = failure_in(Phase::Initialize, builder.init_sql("SELECT 1"));
    assert!(report.contains(&line_of(&dir, 2)), "{report}");
}

#[test]
fn a_replica_has_the_configuration_of_its_primary() {
    let (_dir, builder) = deployed("max_connections = 150\nrestore_command = 'false'\nhot_standby = on");
    let primary = start(builder);
    let replica = primary.replica().unwrap();
    assert_eq!(value(&replica, "SHOW max_connections"), "150");
    assert_eq!(value(&replica, "SHOW restore_command"), "");
}

#[test]
fn libraries_of_the_file_are_loaded_beside_those_of_extensions() {
    let (_dir, builder) = deployed("shared_preload_libraries = 'auto_explain'");
    let daemon = builder.extension("pg_stat_statements").start().unwrap();
    let loaded = daemon.query("SHOW shared_preload_libraries").unwrap();
    assert_eq!(loaded, [[Some(String::from("pg_stat_statements, auto_explain"))]]);
    let statements = daemon.query("SELECT count(*) > 0 FROM pg_stat_statements").unwrap();
    assert_eq!(statements, [[Some(String::from("t"))]]);
}

#[test]
fn a_line_is_not_blamed_for_the_setting_that_replaces_it() {
    let (dir, builder) = deployed("Work_Mem = 4MB\nshared_buffers = 20MB");
    let wrong = builder.clone().setting("work_mem", "lots");
    for (phase, builder) in [
        (Phase::Readiness, wrong.clone()),
        (Phase::Initialize, wrong.init_sql("SELECT 1")),
    ] {
        let report = failure_in(phase, builder);
        let words = "invalid value for parameter \"work_mem\": \"lots\"";
        assert!(report.contains(words), "{report}");
        assert!(!report.contains(&line_of(&dir, 1)), "{report}");
    }
    let report = failure_in(Phase::Readiness, builder.setting("shared_buffers", "4000GB"));
    assert!(!report.contains(&line_of(&dir, 2)), "{report}");
}

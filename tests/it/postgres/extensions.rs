//! Extensions that the server found has, and others, which are fetched.

use super::{builder, refusal, start, value};
use crate::support::{eventually_false, has_apt, is_full_run, private_root};

#[test]
fn one_that_the_server_lacks_comes_with_a_server_that_has_it() {
    if !has_apt() {
        return;
    }
    // Debian 12 has no package of it, so there the server is a later suite's.
    let daemon = start(builder().extension("vector").database("shop"));
    assert_eq!(value(&daemon, "SELECT '[1,2]'::vector <-> '[4,6]'::vector"), "5");
    let select = daemon.psql().unwrap().args(["-Atc", "SELECT 1"]).output().unwrap();
    assert_eq!(select.stdout, b"1\n", "{select:?}");
}

#[test]
fn a_later_start_takes_a_server_that_has_it_too() {
    if !has_apt() {
        return;
    }
    let dir = private_root();
    let at = dir.path().join("mine");
    drop(start(builder().extension("vector").working_dir(&at)));
    let again = start(builder().working_dir(&at));
    assert_eq!(value(&again, "SELECT '[3]'::vector"), "[3]");
}

#[test]
fn what_an_extension_needs_to_be_preloaded_is() {
    let daemon = start(
        builder()
            .extension("pg_stat_statements")
            .setting("shared_preload_libraries", "auto_explain"),
    );
    assert_eq!(
        value(&daemon, "SHOW shared_preload_libraries"),
        "pg_stat_statements, auto_explain"
    );
    value(&daemon, "SELECT 41 + 1 AS counted");
    let counted = "SELECT calls FROM pg_stat_statements WHERE query LIKE '%AS counted'";
    assert_eq!(value(&daemon, counted), "1");
}

#[test]
fn a_name_that_no_package_has_is_answered_with_those_there_are() {
    if !is_full_run() {
        return;
    }
    let report = refusal(builder().extension("no_such_extension"));
    // A server of the host's.
    if report.contains("bin/postgres: version") {
        assert!(report.contains("pg_trgm, "), "{report}");
    }
    for text in [
        "did not start: no usable binary of `postgres` with extension `no_such_extension`",
        "take one of the names below",
        "apt: has no package `postgresql-",
        "it has `postgresql-",
        "cron, ",
    ] {
        assert!(report.contains(text), "no {text:?} in {report}");
    }
}

#[test]
fn cron_runs_in_the_database_of_the_test() {
    if !is_full_run() {
        return;
    }
    let daemon = start(builder().extension("pg_cron").database("shop"));
    value(&daemon, "SELECT cron.schedule('* * * * *', 'SELECT 1')");
    assert_eq!(value(&daemon, "SELECT database FROM cron.job"), "shop");
    let launcher = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_cron launcher' AND datname = 'shop'";
    eventually_false("the launcher is missing", || value(&daemon, launcher) == "0");
}

#[test]
fn geometries_of_postgis_are_transformed() {
    if !is_full_run() {
        return;
    }
    let daemon = start(builder().extension("postgis").extension("postgis_raster"));
    let length = "SELECT round(ST_Length('SRID=4326;LINESTRING(13.4 52.5, 13.5 52.5)'::geography))";
    assert_eq!(value(&daemon, length), "6791");
    // It needs PROJ's database.
    let transformed = "SELECT round(ST_X(ST_Transform('SRID=4326;POINT(13.4 52.5)'::geometry, 3857)))";
    assert_eq!(value(&daemon, transformed), "1491681");
    assert_eq!(
        value(&daemon, "SELECT ST_NumBands(ST_MakeEmptyRaster(2, 2, 0, 0, 1))"),
        "0"
    );
}

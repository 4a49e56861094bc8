//! Extensions in packages that are not named after them, such as procedural languages.

use super::{builder, start, value};
use crate::support::is_full_run;

#[test]
fn functions_are_written_in_python() {
    if !is_full_run() {
        return;
    }
    let daemon = start(builder().extension("plpython3u").extension("jsonb_plpython3u"));
    let function = "CREATE FUNCTION f(text) RETURNS jsonb TRANSFORM FOR TYPE jsonb LANGUAGE plpython3u AS \
                    $$ import json, decimal; return {'n': len(json.loads(args[0]))} $$";
    daemon
        .query(function)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(value(&daemon, "SELECT f('[1, 2]') ->> 'n'"), "2");
}

#[test]
fn functions_are_written_in_perl_and_tcl() {
    if !is_full_run() {
        return;
    }
    let daemon = start(builder().extension("plperlu").extension("plperl").extension("pltcl"));
    let perl = "CREATE FUNCTION p() RETURNS text LANGUAGE plperlu AS \
                $$ use strict; use POSIX qw(floor); use List::Util qw(sum); return floor(sum(40.5, 2)); $$;
                CREATE FUNCTION t(int) RETURNS int LANGUAGE plperl AS $$ return $_[0] * 2; $$;
                CREATE FUNCTION c(int) RETURNS int LANGUAGE pltcl AS $$ return [expr {$1 * 3}] $$";
    daemon.query(perl).unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(value(&daemon, "SELECT concat_ws(' ', p(), t(4), c(5))"), "42 8 15");
}

#[test]
fn a_package_with_a_name_like_the_extension_is_found() {
    if !is_full_run() {
        return;
    }
    let daemon = start(
        builder()
            .extension("pgpool_adm")
            .extension("hypopg")
            .extension("uuid-ossp"),
    );
    let names = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension";
    assert_eq!(value(&daemon, names), "hypopg pgpool_adm plpgsql uuid-ossp");
}

#[test]
fn timescale_is_loaded_and_asks_nobody_for_newer_versions() {
    if !is_full_run() {
        return;
    }
    let daemon = start(builder().extension("timescaledb"));
    let sql = "CREATE TABLE m (at timestamptz NOT NULL, n int); SELECT create_hypertable('m', 'at')";
    daemon.query(sql).unwrap_or_else(|error| panic!("{}", error.report()));
    let names = "SELECT hypertable_name FROM timescaledb_information.hypertables";
    assert_eq!(value(&daemon, names), "m");
    assert_eq!(value(&daemon, "SHOW timescaledb.telemetry_level"), "off");
}

//! Who orders text: the C library, ICU or PostgreSQL itself.

use managed_daemons::{LocaleProvider, PostgresDaemon};

use super::{builder, refusal, start, value};
use crate::support::{has_apt, is_full_run};

/// Words whose order German, Swedish and bytes disagree about.
const WORDS: &str = "VALUES ('Zebra'), ('öl'), ('apfel'), ('Äpfel'), ('Birne')";

fn ordered(daemon: &PostgresDaemon) -> String {
    let sql = format!("SELECT string_agg(word, ' ' ORDER BY word) FROM ({WORDS}) AS list(word)");
    value(daemon, &sql)
}

fn has(provider: LocaleProvider) -> bool {
    let version = start(builder()).version().to_owned();
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    major >= if provider == LocaleProvider::Icu { 15 } else { 17 }
}

#[test]
fn icu_has_the_order_of_every_language_on_every_machine() {
    if !has(LocaleProvider::Icu) {
        return;
    }
    assert_eq!(ordered(&start(builder())), "Birne Zebra apfel Äpfel öl");
    let icu = || builder().locale_provider(LocaleProvider::Icu);
    for (locale, expected) in [
        ("de", "apfel Äpfel Birne öl Zebra"),
        ("sv", "apfel Birne Zebra Äpfel öl"),
        ("de-u-kf-upper", "apfel Äpfel Birne öl Zebra"),
    ] {
        let daemon = start(icu().locale(locale).database("shop").extra_database("audit"));
        assert_eq!(ordered(&daemon), expected, "{locale}");
        let providers = "SELECT string_agg(DISTINCT datlocprovider::text, '') FROM pg_database";
        assert_eq!(value(&daemon, providers), "i");
    }
    assert_eq!(ordered(&start(icu())), "apfel Äpfel Birne öl Zebra");
    // Dates and numbers are those of every other server.
    assert_eq!(value(&start(icu().locale("de")), "SHOW lc_numeric"), "C");
}

#[test]
fn the_built_in_order_is_that_of_code_points() {
    let mut newest = builder();
    if !has(LocaleProvider::Builtin) {
        let version = start(builder()).version().to_owned();
        let report = refusal(builder().locale_provider(LocaleProvider::Builtin));
        let problem = "option `locale_provider`: the built-in provider needs PostgreSQL 17 or later, and this is ";
        assert!(report.contains(problem), "{report}");
        assert!(
            report.contains(&format!("{version}: ask for `version(\"17\")`")),
            "{report}"
        );
        if !is_full_run() || !has_apt() {
            return;
        }
        newest = PostgresDaemon::builder().suite("trixie").version("17");
    }
    let builtin = newest.locale_provider(LocaleProvider::Builtin);
    let daemon = start(builtin.clone());
    assert_eq!(ordered(&daemon), "Birne Zebra apfel Äpfel öl");
    assert_eq!(value(&daemon, "SELECT upper('äß')"), "Äß");
    let provider = "SELECT DISTINCT datlocprovider::text FROM pg_database";
    assert_eq!(value(&daemon, provider), "b");
    let report = refusal(builtin.locale("nix"));
    assert!(
        report.contains("invalid locale name \"nix\" for builtin provider"),
        "{report}"
    );
}

#[test]
fn a_locale_that_is_not_installed_is_answered_with_those_that_are() {
    let report = refusal(builder().locale("tlh_KX.UTF-8"));
    assert!(report.contains("invalid locale name \"tlh_KX.UTF-8\""), "{report}");
    let hint = report.lines().nth(1).unwrap();
    assert!(
        hint.contains("`tlh_KX.UTF-8` is not installed here; there are "),
        "{report}"
    );
    assert!(
        hint.contains("locale_provider(LocaleProvider::Icu)` with `locale(\"tlh-KX\")"),
        "{report}"
    );
    // Each that it names can be used.
    let (_, listed) = hint.split_once("there are ").unwrap();
    let names = listed.split(". Ask").next().unwrap();
    assert!(names.split(", ").any(|name| name == "C"), "{report}");
    // Those two are the same to PostgreSQL.
    let mut others = names.split(", ").filter(|name| !["C", "POSIX"].contains(name));
    let other = others.next().unwrap_or("C");
    let collation = "SELECT datcollate FROM pg_database WHERE datname = 'postgres'";
    assert_eq!(value(&start(builder().locale(other)), collation), other);
}

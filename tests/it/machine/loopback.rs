//! A network namespace whose loopback interface is down. Making one takes root, or a user namespace.

use std::process::Command;

use crate::support::{assert_starts, failure_below, is_root, DAEMONS};

/// How to get into such a namespace; `None`, with a word, where this user can't.
fn unshare() -> Option<&'static [&'static str]> {
    let words: &[&str] = match is_root() {
        true => &["unshare", "--net"],
        // Any other mapping would make the victim root.
        false => &["unshare", "--user", "--map-current-user", "--net"],
    };
    let made = Command::new(words[0]).args(&words[1..]).arg("true").output();
    if made.is_ok_and(|output| output.status.success()) {
        return Some(words);
    }
    println!("not tested: this user can't make a network namespace");
    None
}

#[test]
fn a_loopback_interface_that_is_down_is_named_at_once_by_every_daemon() {
    let Some(words) = unshare() else { return };
    for daemon in DAEMONS {
        assert_starts(daemon);
        let report = failure_below(words, daemon, None, &[]);
        // Root's files belong to nobody in a user namespace, and so no daemon of root's cache is used.
        if !is_root() && report.contains("looked in:") {
            println!("not tested: {daemon} is root's");
            continue;
        }
        assert!(
            report.contains("did not start: the loopback interface of this network namespace is down"),
            "{daemon}: {report}"
        );
        assert!(report.contains("`ip link set lo up`"), "{daemon}: {report}");
    }
}

/// The check is about the interface, not about the namespace.
#[test]
fn a_daemon_starts_in_a_network_namespace_whose_loopback_is_up() {
    let Some(words) = unshare().filter(|_| is_root()) else {
        return;
    };
    let up = ["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"];
    let has_ip = Command::new("ip").arg("-V").output().is_ok();
    if !has_ip {
        println!("not tested: there is no `ip`");
        return;
    }
    let (succeeds, said) = crate::support::start(&[words, &up].concat(), "redis", None, &[]);
    assert!(succeeds, "{said}");
}

//! Too few open files, processes or threads: the limit comes first, and then the daemon's own words.

use crate::support::{assert_starts, failure_below, is_root, DAEMONS};

/// A command that lowers a limit, and then becomes the command behind it.
fn ulimit(option: &str) -> [String; 4] {
    let script = format!("ulimit {option} && exec \"$@\"");
    ["bash", "-c", &script, "bash"].map(str::to_owned)
}

#[track_caller]
fn failure_with(option: &str, daemon: &str, variables: &[(&str, &str)]) -> (String, String) {
    let words = ulimit(option);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let report = failure_below(&words, daemon, None, variables);
    let (first, rest) = report.split_once('\n').unwrap_or((&report, ""));
    (first.to_owned(), rest.to_owned())
}

#[test]
fn a_limit_of_open_files_comes_first_and_then_the_daemons_words() {
    for (limit, daemon, words) in [
        (64, "memcached", "memcached needs one for each of its connections"),
        (64, "memcached", "failed to set rlimit for open files"),
        (48, "postgres", "we need at least"),
        (30, "redis", "Please increase your open file limit"),
    ] {
        assert_starts(daemon);
        let (first, rest) = failure_with(&format!("-n {limit}"), daemon, &[]);
        let ours = format!("{daemon} did not start: the limit of open files is {limit}, which is not enough");
        assert!(first.starts_with(&ours), "{daemon}: {first}\n{rest}");
        assert!(rest.contains(words), "{daemon}: {first}\n{rest}");
    }
}

/// These would start, and never answer.
#[test]
fn a_limit_of_open_files_that_would_make_a_daemon_hang_is_refused() {
    for (limit, daemon, kind) in [(64, "rabbitmq", "rabbitmq"), (40, "mariadb", "mysql")] {
        assert_starts(daemon);
        let (first, rest) = failure_with(&format!("-n {limit}"), daemon, &[]);
        let ours = format!("{kind} did not start: the limit of open files is {limit}; {kind} needs at least ");
        // RabbitMQ 4 does with less.
        if daemon == "mariadb" || rest.is_empty() {
            assert!(first.starts_with(&ours), "{daemon}: {first}\n{rest}");
        }
    }
}

/// Even the first process is one too many.
#[test]
fn a_limit_of_processes_is_named_by_every_daemon() {
    for daemon in DAEMONS {
        assert_starts(daemon);
        let (first, rest) = failure_with("-u 1", daemon, &[]);
        assert!(
            first.contains(" did not start: the limit of processes and threads"),
            "{daemon}: {first}\n{rest}"
        );
        assert!(
            first.contains(" is 1, which is not enough: raise it with `ulimit -u`"),
            "{daemon}: {first}"
        );
        assert!(rest.contains("Resource temporarily unavailable"), "{daemon}: {rest}");
    }
}

/// The daemon is executed, and can't make the threads or processes that it is made of.
#[test]
fn a_daemon_without_its_threads_or_processes_says_so_behind_the_limit() {
    // As root, the user is one of whom there are no other processes, and the framework has no limit.
    let user = "games";
    if !is_root() || nix::unistd::User::from_name(user).ok().flatten().is_none() {
        println!("not tested: that takes root, and a user `{user}`");
        return;
    }
    let variables = [("MANAGED_DAEMONS_USER", user)];
    for daemon in DAEMONS {
        if daemon == "nginx" {
            continue; // it is one process with one thread
        }
        assert_starts(daemon);
        let (first, rest) = failure_with("-u 2", daemon, &variables);
        assert!(
            first.contains(" did not start: the limit of processes and threads of user `games` is 2"),
            "{daemon}: {first}\n{rest}"
        );
        assert!(rest.contains("caused by: "), "{daemon}: {rest}");
    }
}

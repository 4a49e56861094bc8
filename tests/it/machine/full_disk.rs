//! A file system without room, or without inodes.

use managed_daemons::{MySqlDaemon, PostgresDaemon};

use crate::support::{assert_starts, failure_below, is_root, start_failure, Mount, FAR};

/// The template is copied while the server starts. The report is about the copy that failed, not
/// about the server that finds no data.
#[test]
fn a_disk_too_small_for_the_data_is_reported_at_once() {
    if !is_root() {
        return;
    }
    // Makes the templates, which need more room than there will be.
    drop(PostgresDaemon::start().unwrap());
    drop(MySqlDaemon::start().unwrap());
    let mount = Mount::new("size=3m");
    let postgres = PostgresDaemon::builder().temp_root(mount.path());
    let mysql = MySqlDaemon::builder().temp_root(mount.path());
    for report in [
        start_failure(postgres.start_timeout(FAR).start()),
        start_failure(mysql.start_timeout(FAR).start()),
    ] {
        assert!(report.contains("did not start: the file system of `"), "{report}");
        assert!(report.contains("` has too little room, with "), "{report}");
        assert!(report.contains("could not copy the template to"), "{report}");
        assert!(report.contains("No space left on device"), "{report}");
    }
    assert_eq!(std::fs::read_dir(mount.path()).unwrap().count(), 0);
}

/// The file system comes first, and then the words of whoever could not write.
#[test]
fn a_full_file_system_is_named_by_every_daemon() {
    if !is_root() {
        println!("not tested: mounting takes root");
        return;
    }
    const NO_ROOM: &str = "has too little room, with ";
    const NO_INODES: &str = "has no inodes left";
    const NO_SPACE: &str = "No space left on device";
    for (options, daemon, ours, words) in [
        ("size=8k", "redis", NO_ROOM, NO_SPACE),
        ("size=8k", "memcached", NO_ROOM, NO_SPACE),
        ("size=8k", "nginx", NO_ROOM, NO_SPACE),
        ("size=8k", "apache", NO_ROOM, NO_SPACE),
        ("size=64k", "postgres", NO_ROOM, NO_SPACE),
        ("size=64k", "mariadb", NO_ROOM, "could not copy the template"),
        ("size=64k", "rabbitmq", NO_ROOM, "caused by: "),
        ("nr_inodes=6", "redis", NO_INODES, NO_SPACE),
        ("nr_inodes=3", "memcached", NO_INODES, "could not open the log"),
        // One inode is left for two: our note of the process, and the server's of itself. Whoever
        // comes second says so.
        ("nr_inodes=12", "nginx", NO_INODES, NO_SPACE),
        ("nr_inodes=13", "apache", NO_INODES, NO_SPACE),
        ("nr_inodes=6", "postgres", NO_INODES, NO_SPACE),
        ("nr_inodes=6", "mariadb", NO_INODES, "could not copy the template"),
        ("nr_inodes=6", "rabbitmq", NO_INODES, NO_SPACE),
    ] {
        assert_starts(daemon);
        let mount = Mount::new(options);
        let report = failure_below(&["env"], daemon, Some(mount.path()), &[]);
        let (first, rest) = report.split_once('\n').unwrap();
        let begin = format!(" did not start: the file system of `{}", mount.path().display());
        assert!(first.contains(&begin), "{options} {daemon}: {report}");
        assert!(first.contains(ours), "{options} {daemon}: {report}");
        assert!(rest.contains(words), "{options} {daemon}: {report}");
        assert_eq!(
            std::fs::read_dir(mount.path()).unwrap().count(),
            0,
            "{options} {daemon}"
        );
    }
}

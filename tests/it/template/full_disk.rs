//! A disk that is full while a template is copied.

use managed_daemons::{MySqlDaemon, PostgresDaemon};

use crate::support::{is_root, start_failure, Mount, FAR};

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
        assert!(report.contains("could not copy the template to"), "{report}");
        assert!(report.contains("No space left on device"), "{report}");
    }
    assert_eq!(std::fs::read_dir(mount.path()).unwrap().count(), 0);
}

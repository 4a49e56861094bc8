//! Templates that somebody else may have written: root would copy what they say.

use std::os::unix::fs::{chown, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::machine::every_daemon::{after, assert_work, cache_without_templates};
use crate::support::is_root;

fn start_postgres(cache: &Path) {
    assert_work(&after(":"), &["postgres"], |command| {
        command.env("MANAGED_DAEMONS_CACHE", cache);
    });
}

fn templates(cache: &Path) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(cache.join("templates")).into_iter().flatten();
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_dir());
    paths
}

#[test]
fn a_cache_that_others_can_write_has_no_templates() {
    let (_dir, cache) = cache_without_templates();
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    start_postgres(&cache);
    assert_eq!(templates(&cache), [""; 0].map(PathBuf::from));
}

#[test]
fn a_template_of_the_daemons_user_is_made_anew() {
    if !is_root() {
        return;
    }
    let (_dir, cache) = cache_without_templates();
    start_postgres(&cache);
    let made = templates(&cache);
    assert!(!made.is_empty());
    let planted = std::env::temp_dir().join(format!("planted-{}", std::process::id()));
    for template in &made {
        let index = template.join("packed/index");
        let text = std::fs::read(&index).unwrap();
        // As long as before, so that only the owner tells.
        let path = format!("d 700 {}\0", planted.display());
        let rest = &text[path.len()..];
        std::fs::write(&index, [path.as_bytes(), rest].concat()).unwrap();
        chown(template, Some(65534), Some(65534)).unwrap();
    }
    start_postgres(&cache);
    assert!(!planted.exists());
    for template in templates(&cache) {
        let found = template.metadata().unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o700), "{template:?}");
    }
}

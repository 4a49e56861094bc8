//! A small file system of its own, for tests of a full disk. Mounting takes root.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::private_root;

/// A mounted file system, unmounted when it is dropped.
pub(crate) struct Mount(TempDir);

impl Mount {
    pub(crate) fn new(options: &str) -> Self {
        let dir = private_root();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir.path());
        assert!(command.status().unwrap().success());
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(status.unwrap().success());
    }
}

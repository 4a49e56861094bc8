//! Configurations as they are deployed, for the ports, paths and hosts of another machine.

mod explore;
mod nginx;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::private_root;

/// A directory with files, as a repository has them for a deployment.
struct Deployment(TempDir);

impl Deployment {
    fn new(files: &[(&str, &str)]) -> Self {
        let deployment = Self(private_root());
        for (name, text) in files {
            deployment.write(name, text);
        }
        deployment
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }
}

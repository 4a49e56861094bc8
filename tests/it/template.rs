//! Data directories that are made once and copied.

mod full_disk;

//! The database's file: whether it is still the one that was opened.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// SQLite goes on writing to a file that was deleted or replaced, and what it acknowledges is gone with its last connection.
#[derive(Clone, Debug)]
pub(super) struct File(Arc<(PathBuf, Identity)>);

impl File {
    /// # Errors
    /// There is none.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let identity = identity(&path)?;
        Ok(Self(Arc::new((path, identity))))
    }

    /// # Errors
    /// The path leads to another file now, or to none.
    pub(super) fn check(&self) -> Result<(), sqlx::Error> {
        let (path, opened) = &*self.0;
        match identity(path) {
            Ok(found) if found == *opened => Ok(()),
            _ => Err(sqlx::Error::Io(io::Error::other(format!(
                "the database file {} was deleted or replaced while it was open: restart the process to use what is there now",
                path.display()
            )))),
        }
    }
}

/// Device and inode; another file cannot have those of one that is open.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Elsewhere an open file is neither deleted nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(drop)
}

//! Detects that the database's files were deleted or replaced.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The opened files. SQLite continues to write to a deleted or replaced file, and the data is lost when its last connection is closed.
#[derive(Clone, Debug)]
pub(super) struct File(Arc<Files>);

#[derive(Debug)]
struct Files {
    database: Opened,
    /// Its write-ahead log, and that one's index. They are those of the writer's connection while it has one: SQLite deletes both with
    /// the last connection, and the next one makes others.
    log: Mutex<Option<[Opened; 2]>>,
}

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    identity: Identity,
}

impl Opened {
    fn new(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&path)?;
        Ok(Self { path, identity })
    }

    fn check(&self) -> Result<(), sqlx::Error> {
        match identity(&self.path) {
            Ok(found) if found == self.identity => Ok(()),
            _ => Err(sqlx::Error::Io(io::Error::other(format!(
                "the database file {} was deleted or replaced while it was open: restart the process to use the new file",
                self.path.display()
            )))),
        }
    }
}

impl File {
    /// Of a database that a connection has open.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let database = Opened::new(std::path::absolute(path)?)?;
        let file = Self(Arc::new(Files { database, log: Mutex::default() }));
        file.opened()?;
        Ok(file)
    }

    /// The writer has a connection now.
    ///
    /// # Errors
    /// There is no log.
    pub(super) fn opened(&self) -> io::Result<()> {
        // SQLite has them beside the file that a link leads to.
        let database = std::fs::canonicalize(&self.0.database.path)?;
        let beside = |suffix| {
            let mut path = OsString::from(&database);
            path.push(suffix);
            Opened::new(path.into())
        };
        self.set_log(Some([beside("-wal")?, beside("-shm")?]));
        Ok(())
    }

    /// The writer closes its connection.
    pub(super) fn closed(&self) {
        self.set_log(None);
    }

    fn set_log(&self, log: Option<[Opened; 2]>) {
        *self.0.log.lock().unwrap_or_else(PoisonError::into_inner) = log;
    }

    /// # Errors
    /// A path leads to another file now, or to none.
    pub(super) fn check(&self) -> Result<(), sqlx::Error> {
        self.0.database.check()?;
        let log = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().flatten().try_for_each(Opened::check)
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

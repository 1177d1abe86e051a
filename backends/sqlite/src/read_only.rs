//! Whether the file can only be read.

use sqlx::{SqliteConnection, error::DatabaseError};

use super::lock;

/// The primary result code `SQLITE_READONLY`; the other bits of a code are details.
const READ_ONLY: i32 = 8;

/// Whether SQLite has opened the file for reading only, because of its rights or its file system. Takes the lock for writing, and changes
/// nothing; in a transaction.
pub(super) async fn is_read_only(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    match lock(connection).await {
        Ok(()) => Ok(false),
        Err(error) if has_code(&error, READ_ONLY) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether an error has this primary result code.
pub(super) fn has_code(error: &sqlx::Error, primary: i32) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == primary)
}

#[cfg(test)]
mod tests {
    use graceful::backends::FlowStore as _;
    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

    use super::super::Store;

    #[tokio::test]
    async fn file_that_is_opened_for_reading_is_read_only() {
        let path = std::env::temp_dir().join(format!("graceful-read-only-{}.db", std::process::id()));
        let store = Store::open(&path).await.unwrap();
        assert!(!store.is_read_only().await.unwrap());
        let mut connection =
            SqliteConnectOptions::new().filename(&path).read_only(true).connect().await.unwrap();
        assert!(super::is_read_only(&mut connection).await.unwrap());
        std::fs::remove_file(path).unwrap();
    }
}

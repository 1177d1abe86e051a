//! A store is opened by a path or by a URL, and its file gets the right permissions.

use super::*;

#[tokio::test]
async fn store_opened_by_a_url_is_in_the_file_that_sqlx_finds() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a b.db");
    let spelled = path.to_str().unwrap().replace(' ', "%20");
    for url in [
        format!("sqlite://{spelled}"),
        format!("sqlite:{spelled}?"),
        format!("sqlite://{spelled}?mode=rwc"),
        format!("sqlite://{spelled}?mode=rw"),
    ] {
        assert_eq!(Store::open(&url).await.unwrap().path(), path, "{url}");
        let settings = [("GRACEFUL_STORE", &url)];
        // A URL of the environment has two slashes.
        if url.contains("://") {
            drop(Orchestrator::builder().settings(BACKENDS, settings).await.unwrap());
        }
        sqlx::SqlitePool::connect(&url).await.unwrap();
    }
    let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(names.iter().all(|name| name.starts_with("a b.db") && !name.contains('?')), "{names:?}");
}

#[tokio::test]
async fn store_url_with_what_no_store_can_have_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("app.db");
    let url = format!("sqlite://{}", path.display());
    for (url, why) in [
        (format!("{url}?mode=ro"), "unknown parameter in the store's URL; "),
        (format!("{url}?mode=memory"), "unknown parameter in the store's URL; "),
        (format!("{url}?cache=shared"), "unknown parameter in the store's URL; "),
        (format!("{url}?mode=rwc&journal=wal"), "unknown parameter in the store's URL; "),
        (format!("{url}?mode=rw"), "unable to open database file"),
        ("sqlite::memory:".to_owned(), "a durable store needs a file"),
        ("sqlite://:memory:".to_owned(), "a durable store needs a file"),
        ("sqlite://".to_owned(), "a durable store needs a file"),
        (":memory:".to_owned(), "a durable store needs a file"),
    ] {
        let error = Store::open(&url).await.unwrap_err().to_string();
        assert!(error.contains(why), "{url}: {error}");
        assert!(!path.exists(), "{url}");
    }
}

#[cfg(unix)]
mod rights {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn embedded_store_is_readable_by_its_user_alone() {
        let dir = TempDir::new().unwrap();
        let place = dir.path().join("made/if/missing");
        let orchestrator = graceful_sqlite::embedded(&place).await.unwrap().build().unwrap();
        assert_eq!(mode(&place), 0o700);
        let files: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 3, "the log is open: {files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        drop(orchestrator);
    }

    /// An existing file keeps the permissions that it was given.
    #[tokio::test]
    async fn store_in_an_existing_file_leaves_its_rights_alone() {
        let dir = TempDir::new().unwrap();
        let place = dir.path().join("shared");
        fs::create_dir(&place).unwrap();
        fs::set_permissions(&place, Permissions::from_mode(0o755)).unwrap();
        let file = place.join("graceful.db");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let _orchestrator = graceful_sqlite::embedded(&place).await.unwrap().build().unwrap();
        assert_eq!((mode(&place), mode(&file)), (0o755, 0o640));
    }
}

//! Constructors work under paused time, which advances to the next timer whenever every task waits, although a file is still being
//! opened.

#[tokio::test(start_paused = true)]
async fn embedded_opens_under_paused_time() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        graceful_sqlite::embedded(dir.path()).await.unwrap().build().unwrap();
    }
}

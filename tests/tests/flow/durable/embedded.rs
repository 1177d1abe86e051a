//! `graceful_sqlite::embedded` keeps its records in one directory, and they are there after a restart.

use super::*;

#[orchestrate(pattern = "user", id = id, event = "asked", delivery = "durable")]
async fn durable(id: u8) -> Result<u8, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", id = 42)]
async fn inline(error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(1), Err)
}

#[tokio::test]
async fn everything_but_the_cache_survives_a_restart() {
    let dir = TempDir::new().unwrap();
    let place = dir.path().join("made/if/missing");
    let entity = {
        let builder = graceful_sqlite::embedded(&place).await.unwrap().service("users");
        let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
        orchestrator.scope(durable(1)).await.unwrap();
        orchestrator.scope(inline(None)).await.unwrap();
        orchestrator.scope(inline(Some(Code::Internal))).await.unwrap_err();
        orchestrator.key("user", 42)
    };
    let orchestrator = graceful_sqlite::embedded(&place).await.unwrap().service("users").build().unwrap();
    let metadata = orchestrator.metadata().unwrap().latest(&entity).await.unwrap().unwrap();
    assert_eq!((metadata.score, metadata.error_count, metadata.previous.is_some()), (1, 1, true));
    assert_eq!(
        orchestrator
            .scheduler()
            .unwrap()
            .jobs(graceful::backends::IncidentFilter::default(), None, 9)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let traced = orchestrator.nexus().unwrap().trace(&entity).await.unwrap();
    assert_eq!(traced.iter().map(|trace| trace.pattern.as_str()).collect::<Vec<_>>(), ["user", "user.error"]);
    assert_eq!(orchestrator.audit().unwrap().records(Some(&entity), 10).await.unwrap().len(), 2);
    let flows = Arc::clone(orchestrator.flows().unwrap());
    awaited(async {
        while flows.count(FlowState::Completed.into(), 1).await.unwrap().number == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let files: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(files.iter().all(|name| name.to_string_lossy().starts_with("graceful.db")), "{files:?}");
}

#[tokio::test]
async fn directory_that_cannot_be_created_is_refused_with_its_path() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    let error = graceful_sqlite::embedded(file.join("data")).await.unwrap_err().to_string();
    assert!(error.contains(file.to_str().unwrap()), "{error}");
}

/// Background work needs a runtime.
#[test]
fn relay_without_a_runtime_is_refused() {
    let builder = || Orchestrator::builder().flows(memory::Flows::new());
    let error = builder().build().unwrap_err().to_string();
    assert!(error.contains("pass a handle with `.runtime(handle)`"), "{error}");
    builder().relay(RelaySettings::off()).build().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    builder().runtime(runtime.handle().clone()).build().unwrap();
}

/// Whether this process has a file of the directory open. (That the log of the database is gone is another matter: of two
/// connections that close at once, neither may be the last.)
fn is_open(directory: &Path) -> bool {
    let opened = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    opened.into_iter().any(|file| file.starts_with(directory))
}

/// Nothing else holds the orchestrator: when it is dropped its relay ends and its store is closed.
#[tokio::test]
async fn dropped_orchestrator_stops_its_relay() {
    let dir = TempDir::new().unwrap();
    let orchestrator = graceful_sqlite::embedded(dir.path()).await.unwrap().build().unwrap();
    assert!(is_open(dir.path()));
    drop(orchestrator);
    until(async || !is_open(dir.path())).await;
}

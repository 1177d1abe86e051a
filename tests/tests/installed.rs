//! An orchestrator is installed for the whole process. This is a program of its own, because a process has at most one.
#![allow(missing_docs, reason = "tests")]

use graceful::{Code, error::InstallError, orchestrate};
use graceful_tests::{World, log::Log};

#[orchestrate(pattern = "user", id = 42)]
async fn ask(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "shelf_user", cache(key = id, read, unwritten))]
async fn read(id: u64) -> Result<u64, Code> {
    Ok(id)
}

/// `shelf_usr` is a slip; another program reads `shelf_used`.
#[orchestrate(pattern = "shelf_order", cache(key = id, touches(shelf_usr = id, shelf_used = id)))]
async fn order(id: u64) -> Result<u64, Code> {
    Ok(id)
}

/// A slip in a migration: nothing is held, and nothing that is read is invalidated. Here no handler has a generic pattern, which might be
/// any.
#[tokio::test]
async fn change_of_a_pattern_that_no_handler_has_is_logged_once() {
    let (world, (log, _listens)) = (World::new(), Log::listen());
    for _ in 0..2 {
        world.orchestrator.changing([("shelf_usr", 1), ("shelf_usr", 2)], async || ()).await.unwrap();
        world.orchestrator.invalidate([("shelf_user", 1), ("shelf_order", 1)]).await.unwrap();
    }
    let lines = log.of("graceful::requirements");
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(line.field("pattern"), "shelf_usr");
}

#[tokio::test]
async fn scope_overrides_the_installed_orchestrator_and_a_second_install_is_refused() {
    // They are only registered.
    let _ = (read(1), order(1));
    let (installed, scoped) = (World::with(|builder| builder.reads("shelf_used")), World::new());
    let counts = || (installed.reports.count(), scoped.reports.count());

    assert_eq!(ask(None).await, Ok(1));
    assert_eq!(counts(), (0, 0), "there is none yet");

    let (log, listens) = Log::listen();
    installed.orchestrator.clone().install().unwrap();
    drop(listens);
    let doubts = log.of("graceful::requirements");
    let [doubt] = &doubts[..] else { panic!("{doubts:#?}") };
    let text = doubt.field("message");
    assert!(
        text.starts_with("`order` (")
            && text.contains("`shelf_usr`, which no handler has: did you mean `shelf_user`?"),
        "{text}"
    );
    ask(None).await.unwrap();
    tokio::spawn(ask(Some(Code::Internal))).await.unwrap().unwrap_err();
    assert_eq!(counts(), (2, 0));

    scoped.run(ask(None)).await.unwrap();
    scoped.run(ask(Some(Code::Internal))).await.unwrap_err();
    assert_eq!(counts(), (2, 2));

    let refused = scoped.orchestrator.clone().install().unwrap_err();
    assert_eq!(refused, InstallError::AlreadyInstalled);
    scoped.run(ask(None)).await.unwrap();
    ask(None).await.unwrap();
    assert_eq!(counts(), (3, 3), "the first stays, the second can still be scoped");
}

//! An orchestrator is installed for the whole process. This is a program of its own, because a process has at most one.
#![allow(missing_docs, reason = "tests")]

use graceful::{Code, error::InstallError, orchestrate};
use graceful_tests::World;

#[orchestrate(pattern = "user", id = 42)]
async fn ask(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

#[tokio::test]
async fn scope_overrides_the_installed_orchestrator_and_a_second_install_is_refused() {
    let (installed, scoped) = (World::new(), World::new());
    let counts = || (installed.reports.count(), scoped.reports.count());

    assert_eq!(ask(None).await, Ok(1));
    assert_eq!(counts(), (0, 0), "there is none yet");

    installed.orchestrator.clone().install().unwrap();
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

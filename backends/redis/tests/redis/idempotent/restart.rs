//! What was acknowledged is on disk.

use graceful_tests::gate::until;

use super::*;

#[test(requires("redis-server"), flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_answers_are_there_after_the_server_was_killed() {
    let mut case = Case::new().await;
    let (acknowledge, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    // Each task answers calls until the server is killed.
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (calls, acknowledge) = (case.calls.clone(), acknowledge.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let call = call(&format!("{task}/{number}"));
                    let Ok(Claimed::New) = calls.claim(call.clone(), LONG).await else { return };
                    let Ok(true) = calls.answer(answer(&call, &call.names[0])).await else { return };
                    acknowledge.send(call).unwrap();
                }
            })
        })
        .collect();
    let mut answered_calls = Vec::new();
    while answered_calls.len() < 100 {
        answered_calls.push(acknowledged.recv().await.unwrap());
    }
    case.server.kill();
    for task in tasks {
        task.await.unwrap();
    }
    while let Ok(call) = acknowledged.try_recv() {
        answered_calls.push(call);
    }
    assert!(case.calls.claim(call("away"), LONG).await.is_err());

    case.server.start_again().await;
    until(|| async { case.calls.claim(call("back"), LONG).await.is_ok() }).await;
    for call in answered_calls {
        let known = KnownCall::new(None, answered(&call.names[0]));
        assert_eq!(case.claim(&again(&call)).await, Claimed::Known(known));
    }
}

#[test(requires("redis-server"))]
async fn running_call_keeps_its_claim_when_the_server_is_killed() {
    let mut case = Case::new().await;
    assert_eq!(case.claim(&case.call).await, Claimed::New);
    case.server.kill();
    case.calls.answer(answer(&case.call, "ada")).await.unwrap_err();
    case.server.start_again().await;
    until(|| async { case.calls.claim(call("back"), LONG).await.is_ok() }).await;
    assert!(case.is_running().await);
    assert!(case.answer(&case.call, "ada").await);
}

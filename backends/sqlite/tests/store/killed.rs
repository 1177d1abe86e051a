//! A process that is killed loses nothing.

use std::{fs::File, io::Write as _, path::Path, time::Duration};

use graceful::backends::{AttemptOutcome, FlowState, FlowStore as _, Lane, QueuedFlow, Room, Uuid};
use graceful_sqlite::Store;
use graceful_testing::InState as _;
use graceful_tests::killed;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::elapse;

const FLOWS: u128 = 400;
const LEASE: Duration = Duration::from_mins(10);

/// Outcomes and claims share transactions until the process is killed. What was acknowledged is a line of a file.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_outcomes_survive_a_kill_and_the_other_flows_run_again() {
    if let Some(dir) = killed::works_in() {
        work(&Store::open(dir.join("test.db")).await.unwrap(), &dir.join("acknowledged")).await;
        killed::done().await;
    }
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join("test.db")).await.unwrap();
    for number in 0..FLOWS {
        let entity = format!("e{}", number % 40);
        let flow = QueuedFlow::new(Uuid::from_u128(number), entity, "h", Lane::default(), Vec::new());
        store.enqueue(flow).await.unwrap();
    }
    killed::after("killed::acknowledged_outcomes_survive_a_kill_and_the_other_flows_run_again", dir.path());

    let mut ended = ids(&store, FlowState::Completed).await;
    let acknowledged = std::fs::read_to_string(dir.path().join("acknowledged")).unwrap();
    let acknowledged: Vec<u128> = acknowledged.lines().map(|line| line.parse().unwrap()).collect();
    assert!(acknowledged.len() == 100 && acknowledged.iter().all(|flow| ended.contains(flow)), "{ended:?}");
    elapse(&store, LEASE * 2).await;
    loop {
        let claims = store.claim(Room::of(100), LEASE).await.unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            assert!(store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap());
            ended.push(claim.id.as_u128());
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, (0..FLOWS).collect::<Vec<_>>(), "each once");
}

async fn ids(store: &Store, state: FlowState) -> Vec<u128> {
    store.in_state(state).await.unwrap().iter().map(|flow| flow.summary.id.as_u128()).collect()
}

/// Records outcomes until 100 are acknowledged; then others are under way.
async fn work(store: &Store, acknowledged: &Path) {
    let (mut recording, mut file) = (JoinSet::new(), File::create(acknowledged).unwrap());
    for _ in 0..100 {
        for claim in store.claim(Room::of(16), LEASE).await.unwrap() {
            let recorded = store.record_outcome(claim.claim_id(), AttemptOutcome::Completed);
            recording.spawn(async move { recorded.await.map(|recorded| (claim.id, recorded)) });
        }
        let (flow, recorded) = recording.join_next().await.unwrap().unwrap().unwrap();
        assert!(recorded);
        writeln!(file, "{}", flow.as_u128()).unwrap();
    }
    recording.detach_all();
}

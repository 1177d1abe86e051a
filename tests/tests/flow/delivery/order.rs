use super::*;

/// Takes a different time for each flow, so that flows that run at once would overtake one another.
async fn dawdle(flow: &Flow) -> HookResult {
    for _ in 0..flow.id().as_u128() % 7 {
        yield_now().await;
    }
    Ok(())
}

#[orchestrate(
    pattern = "user",
    id = entity,
    audit = dawdle,
    metadata = json!({ "n": n }),
    delivery = "background"
)]
async fn touch(entity: u64, n: u64) -> Result<u64, Code> {
    if n.is_multiple_of(3) { Err(Code::Internal) } else { Ok(n) }
}

async fn under_load(queue: usize) {
    const ENTITIES: u64 = 20;
    const FLOWS: u64 = 200;

    let world = World::with(|builder| builder.background_queue(queue));
    let tasks: Vec<_> = (0..ENTITIES)
        .map(|entity| {
            let orchestrator = world.orchestrator.clone();
            tokio::spawn(async move {
                for n in 0..FLOWS {
                    // Each call from another task, so from any thread.
                    let call = tokio::spawn(orchestrator.scope(touch(entity, n)));
                    assert_eq!(call.await.unwrap().is_err(), n % 3 == 0);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }

    let total = usize::try_from(ENTITIES * FLOWS).unwrap();
    let mut seen = HashMap::<_, Vec<_>>::new();
    for report in world.reports.until(total).await {
        assert_eq!(report.failures().count(), 0, "{report}");
        let n = report.flow().declared_metadata().unwrap()["n"].as_u64().unwrap();
        seen.entry(report.flow().entity_id()).or_default().push(n);
    }
    assert_eq!(world.reports.count(), total, "none is lost, none is doubled");
    for (entity, numbers) in seen {
        assert!(numbers.iter().copied().eq(0..FLOWS), "{entity}: {numbers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn flows_of_an_entity_under_load_run_in_order() {
    under_load(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn flows_of_an_entity_with_full_queue_run_in_order() {
    under_load(1).await;
}

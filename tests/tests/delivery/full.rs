use super::*;

#[tokio::test]
async fn the_caller_waits_and_nothing_is_dropped() {
    gated!(GATE, ask);

    // One place for each lane: one flow is under way and one waits, the third has no place.
    let world = World::with(|builder| builder.background_queue(1));
    world.run(ask(1, None)).await.unwrap();
    GATE.reached().await;
    world.run(ask(2, Some(Code::Internal))).await.unwrap_err();
    let mut third = pin!(world.run(ask(3, None)));
    let mut fourth = pin!(world.run(ask(4, Some(Code::Internal))));
    for _ in 0..10 {
        assert!(poll(third.as_mut()).is_pending() && poll(fourth.as_mut()).is_pending(), "they wait");
        yield_now().await;
    }
    assert_eq!(world.reports.count(), 0);

    GATE.open_for(4);
    let answers = tokio::join!(third, fourth);
    assert_eq!(answers, (Ok(3), Err(Code::Internal)));
    assert_eq!(world.reports.count(), 4, "who waited has waited for the steps too");
    assert_eq!(hooks::calls(), ["1", "2", "3", "4"], "in order");
    for report in world.reports.all() {
        assert_eq!(report.failures().count(), 0, "{report}");
    }
}

#[tokio::test]
async fn a_caller_that_goes_while_it_waits_takes_nothing_with_it() {
    gated!(GATE, ask);

    let world = World::with(|builder| builder.background_queue(1));
    world.run(ask(1, None)).await.unwrap();
    GATE.reached().await;
    world.run(ask(2, None)).await.unwrap();
    for (n, error) in [(3, None), (4, Some(Code::Internal))] {
        let mut call = pin!(world.run(ask(n, error)));
        assert!(poll(call.as_mut()).is_pending());
    }
    GATE.open_for(4);
    for report in world.reports.until(4).await {
        assert_eq!(report.failures().count(), 0, "{report}");
    }
    assert_eq!(hooks::calls(), ["1", "2", "3", "4"], "in order");
}

/// Another entity's lane may have room.
#[tokio::test]
async fn a_queue_of_its_size_takes_that_many() {
    gated!(GATE, ask);

    let world = World::with(|builder| builder.background_queue(80));
    world.run(ask(0, None)).await.unwrap();
    GATE.reached().await;
    for n in 1..=10 {
        let mut call = pin!(world.run(ask(n, None)));
        assert!(poll(call.as_mut()).is_ready(), "the {n}th finds a place");
    }
    GATE.open_for(11);
    world.reports.until(11).await;
}

//! Flows of one entity that are claimed together: they run one after the other in their order, whatever fails, hangs or ends.

use graceful::backends::ActionResult;
use graceful_tests::killed;
use tokio::sync::Semaphore;

use super::*;

/// The numbers of the flows that the hook of a test has seen.
struct Seen(std::sync::Mutex<Vec<u64>>);

impl Seen {
    const fn new() -> Self {
        Self(std::sync::Mutex::new(Vec::new()))
    }

    /// How often it was seen with this one.
    fn add(&self, flow: &Flow) -> (u64, usize) {
        let number = number(flow);
        let mut seen = self.0.lock().unwrap();
        seen.push(number);
        (number, seen.iter().filter(|seen| **seen == number).count())
    }

    fn all(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

fn number(flow: &Flow) -> u64 {
    flow.payload().as_json().parse().unwrap()
}

/// All flows of a test are of one entity.
async fn store<F: Future<Output = Result<u64, Code>>>(
    service: &Service,
    call: impl Fn(u64) -> F,
    flows: std::ops::Range<u64>,
) {
    let orchestrator = service.without_a_relay();
    for number in flows {
        orchestrator.scope(call(number)).await.unwrap();
    }
}

async fn id_of(service: &Service, number: u64) -> graceful::backends::Uuid {
    let queued = service.stored(FlowState::Queued).await;
    let flow = queued.iter().find(|stored| self::number(&stored.flow().unwrap()) == number);
    flow.unwrap().summary.id
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_run_in_their_order_and_each_has_one_attempt() {
    static SEEN: Seen = Seen::new();

    async fn seen(flow: &Flow) -> HookResult {
        SEEN.add(flow);
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = seen)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 0..200).await;
    let _relays = [service.with_a_relay(), service.with_a_relay()];
    let completed = service.until(FlowState::Completed, 200).await;
    assert_eq!(SEEN.all(), (0..200).collect::<Vec<_>>());
    assert!(completed.iter().all(|stored| stored.summary.attempts == 1));
    assert_eq!(service.reports.until(200).await.len(), 200, "observers are notified of each");
}

#[tokio::test]
async fn flow_that_fails_is_retried_before_those_behind_it() {
    static SEEN: Seen = Seen::new();

    async fn fails_once(flow: &Flow) -> HookResult {
        match SEEN.add(flow) {
            (3, 1) => Err(StepError::new("not now")),
            _ => Ok(()),
        }
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = fails_once)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 1..6).await;
    let _relay = service.with_a_relay();
    let completed = service.until(FlowState::Completed, 5).await;
    assert_eq!(SEEN.all(), [1, 2, 3, 3, 4, 5]);
    let mut attempts: Vec<_> = completed.iter().map(|stored| stored.summary.attempts).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 1, 1, 1, 2]);
}

#[tokio::test]
async fn dead_letter_delays_none_of_those_behind_it() {
    static SEEN: Seen = Seen::new();

    async fn fails(flow: &Flow) -> HookResult {
        match SEEN.add(flow) {
            (3, _) => Err(StepError::new("no use")),
            _ => Ok(()),
        }
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = fails)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 1..6).await;
    let _relay = service.builder().relay(quick().attempts(1)).build().unwrap();
    service.until(FlowState::Completed, 4).await;
    assert_eq!(SEEN.all(), [1, 2, 3, 4, 5]);
    let letter = service.until(FlowState::Dead, 1).await.remove(0);
    assert_eq!((letter.summary.error(), letter.summary.attempts), (Some("step `audit`: no use"), 1));
}

/// Operators act on flows that wait behind one that hangs.
#[tokio::test]
async fn flows_behind_one_that_hangs_are_handed_back() {
    static SEEN: Seen = Seen::new();
    static GATE: Gate = Gate::closed();

    async fn gated(flow: &Flow) -> HookResult {
        SEEN.add(flow);
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = gated)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 1..4).await;
    let _relay = service.with_a_relay();
    GATE.reached().await;
    let discarded = id_of(&service, 2).await;
    until(async || service.store.discard(discarded, FlowState::Queued).await.unwrap() == ActionResult::Done)
        .await;
    assert_eq!(SEEN.all(), [1]);
    GATE.open_for(10);
    let completed = service.until(FlowState::Completed, 2).await;
    assert_eq!(SEEN.all(), [1, 3]);
    assert!(completed.iter().all(|stored| stored.summary.attempts == 1));
}

#[tokio::test]
async fn shutdown_hands_back_what_has_not_begun() {
    static SEEN: Seen = Seen::new();
    static GATE: Gate = Gate::closed();

    async fn gated(flow: &Flow) -> HookResult {
        SEEN.add(flow);
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = gated)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 1..5).await;
    let relay = service.with_a_relay();
    GATE.reached().await;
    let mut shutdown = Box::pin(relay.shutdown(Duration::from_mins(1)));
    assert!(poll(shutdown.as_mut()).is_pending());
    GATE.open_for(10);
    awaited(shutdown).await;
    assert_eq!(SEEN.all(), [1]);
    let queued = service.stored(FlowState::Queued).await;
    let state = |stored: &StoredFlow| (stored.summary.running, stored.summary.attempts);
    assert_eq!(queued.iter().map(state).collect::<Vec<_>>(), [(false, 0); 3]);
    let _next = service.with_a_relay();
    service.until(FlowState::Completed, 4).await;
    assert_eq!(SEEN.all(), [1, 2, 3, 4]);
}

/// The store refuses outcomes for some time. So flows run again: from one on, in their order.
#[tokio::test]
async fn flows_whose_outcomes_are_not_recorded_run_again_in_their_order() {
    static SEEN: Seen = Seen::new();

    async fn seen(flow: &Flow) -> HookResult {
        SEEN.add(flow);
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = seen)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 0..20).await;
    let refuse = "CREATE TRIGGER refused BEFORE UPDATE OF state ON graceful_flows WHEN new.state = 1 AND new.seq > 5 \
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sqlx::raw_sql(refuse).execute(&mut service.data().await).await.unwrap();
    let lease = Duration::from_millis(50);
    let relay = service.builder().relay(quick().lease(lease).attempts(1_000)).build().unwrap();
    until(async || SEEN.all().iter().filter(|number| **number == 7).count() > 1 || SEEN.all().len() > 50)
        .await;
    sqlx::raw_sql("DROP TRIGGER refused").execute(&mut service.data().await).await.unwrap();
    service.until(FlowState::Completed, 20).await;
    relay.shutdown(Duration::from_mins(1)).await;
    let seen = SEEN.all();
    assert!(seen.len() > 20, "none ran again: {seen:?}");
    assert_eq!(seen.last(), Some(&19));
    for two in seen.windows(2) {
        assert!(two[1] <= two[0] + 1, "{} after {}: {seen:?}", two[1], two[0]);
    }
    let mut all = seen;
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
}

const ABORTS: u64 = 5;

async fn aborts(flow: &Flow) -> HookResult {
    match number(flow) {
        ABORTS => std::process::abort(),
        _ => Ok(()),
    }
}

#[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = aborts)]
async fn ask_for_an_abort(number: u64) -> Result<u64, Code> {
    Ok(number)
}

/// With one attempt each, flow 5 would take others with it if the attempts of those counted that are claimed together.
#[tokio::test]
async fn flow_that_ends_its_process_costs_no_other_an_attempt() {
    const ATTEMPTS: u32 = 2;
    if let Some(dir) = killed::works_in() {
        let store = Store::open(dir.join("app.db")).await.unwrap();
        let settings = quick().lease(Duration::from_millis(200)).attempts(ATTEMPTS);
        let builder = Orchestrator::builder().service("users").store(store.clone()).relay(settings);
        let _relay = builder.in_memory().build().unwrap();
        until(async || store.count(FlowState::Queued.into(), 1).await.unwrap().number == 0).await;
        return;
    }
    let service = Service::new().await;
    store(&service, ask_for_an_abort, 0..10).await;
    let test = "durable::followers::flow_that_ends_its_process_costs_no_other_an_attempt";
    let mut killed = 0;
    while !killed::command(test, service.dir.path()).output().unwrap().status.success() {
        killed += 1;
        assert!(killed < 10, "it does not end");
    }
    assert_eq!(killed, ATTEMPTS + 1, "once with the others, then alone");
    let letter = service.stored(FlowState::Dead).await.remove(0);
    assert_eq!(number(&letter.flow().unwrap()), ABORTS);
    let completed = service.stored(FlowState::Completed).await;
    let attempts: Vec<_> = completed.iter().map(|stored| stored.summary.attempts).collect();
    assert_eq!(attempts, [1; 9]);
}

/// The relay that does not run for longer than its lease has claimed all of them.
#[tokio::test(flavor = "multi_thread")]
async fn relay_that_stood_still_begins_none_of_those_behind_the_flow_that_it_was_running() {
    static STOOD_STILL: Seen = Seen::new();
    static RAN_MEANWHILE: Seen = Seen::new();
    static STANDS_STILL: Semaphore = Semaphore::const_new(0);
    static GOES_ON: std::sync::Mutex<Option<std::sync::mpsc::Receiver<()>>> = std::sync::Mutex::new(None);

    async fn seen(flow: &Flow) -> HookResult {
        if std::thread::current().name() != Some("stands still") {
            RAN_MEANWHILE.add(flow);
        } else if STOOD_STILL.add(flow).0 == 1 {
            STANDS_STILL.add_permits(1);
            // It blocks the thread, on which everything of this relay runs.
            GOES_ON.lock().unwrap().take().unwrap().recv().unwrap();
        }
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = seen)]
    async fn ask(number: u64) -> Result<u64, Code> {
        Ok(number)
    }

    let service = Service::new().await;
    store(&service, ask, 1..4).await;
    let (goes_on, waits) = std::sync::mpsc::channel();
    *GOES_ON.lock().unwrap() = Some(waits);
    let (ends, ended) = tokio::sync::oneshot::channel::<()>();
    let builder = || service.builder().relay(quick().lease(Duration::from_millis(200)));
    let stands_still = builder();
    let thread = std::thread::Builder::new().name("stands still".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _relay = stands_still.build().unwrap();
            ended.await.unwrap();
        });
    });
    awaited(STANDS_STILL.acquire()).await.unwrap().forget();
    let other = builder().build().unwrap();
    service.until(FlowState::Completed, 3).await;
    other.shutdown(Duration::from_secs(60)).await;
    goes_on.send(()).unwrap();
    store(&service, ask, 4..5).await;
    service.until(FlowState::Completed, 4).await;
    ends.send(()).unwrap();
    tokio::task::spawn_blocking(|| thread.unwrap().join().unwrap()).await.unwrap();
    assert_eq!((RAN_MEANWHILE.all(), STOOD_STILL.all()), (vec![1, 2, 3], vec![1, 4]));
}

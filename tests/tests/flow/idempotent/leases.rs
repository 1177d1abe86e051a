use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{
    CallOutcome, StepError, StepErrorKind,
    backends::{self, BoxFuture, Claimed, IdempotentAnswer, IdempotentCall, LeaseRenewal, Reply, memory},
    orchestrate,
};
use graceful_testing::Recorder;

use super::{Account, PayError, by, refused};

const LEASE: Duration = Duration::from_millis(300);

/// How renewals end.
#[derive(Clone, Copy, Debug)]
enum Renewals {
    Work,
    Fail,
    Panic,
}

/// The store of two processes, whose renewals can fail, and whose replies can be lost.
#[derive(Clone, Debug)]
struct Store {
    calls: memory::IdempotentCalls,
    renewals: Renewals,
    /// How many claims are made whose replies are lost.
    lost_claims: Arc<AtomicUsize>,
    /// How many answers fail before one is stored.
    failing_answers: Arc<AtomicUsize>,
    /// How often it was purged.
    purges: Arc<AtomicUsize>,
}

/// Counts one down. Returns false at 0.
fn one_of(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Store {
    fn new() -> Self {
        let calls = memory::IdempotentCalls::new();
        Self {
            calls,
            renewals: Renewals::Work,
            lost_claims: Arc::default(),
            failing_answers: Arc::default(),
            purges: Arc::default(),
        }
    }
}

impl backends::Idempotency for Store {
    fn claim(&self, call: IdempotentCall, lease: Duration) -> Reply<Claimed> {
        let claimed = self.calls.claim(call, lease);
        if one_of(&self.lost_claims) { Reply::failed(StepError::new("no reply")) } else { claimed }
    }

    fn answer(&self, answer: IdempotentAnswer) -> Reply<bool> {
        match one_of(&self.failing_answers) {
            false => self.calls.answer(answer),
            true => Reply::failed(StepError::new("the connection was cut")),
        }
    }

    fn release(&self, call: IdempotentCall) -> Reply<()> {
        self.calls.release(call)
    }

    fn purge(&self) -> Reply<u64> {
        self.purges.fetch_add(1, Ordering::SeqCst);
        self.calls.purge()
    }

    fn renewal(&self) -> BoxFuture<Result<Arc<dyn LeaseRenewal>, StepError>> {
        match self.renewals {
            Renewals::Work => self.calls.renewal(),
            Renewals::Fail => Box::pin(async { Err(StepError::new("the store is unavailable")) }),
            Renewals::Panic => Box::pin(async { panic!("a bug of the store") }),
        }
    }
}

fn process(store: &Store) -> Recorder {
    Recorder::with(|builder| builder.idempotency(store.clone()).idempotency_lease(LEASE))
}

#[orchestrate(pattern = "lease", idempotent = key)]
async fn pay_slowly(account: &Account, time: Duration, key: u64) -> Result<u64, PayError> {
    let number = account.pay();
    // It blocks its executor.
    std::thread::sleep(time);
    Ok(number)
}

#[orchestrate(pattern = "lease", idempotent = key)]
async fn pay_never(account: &Account, key: u64) -> Result<u64, PayError> {
    account.pay();
    std::future::pending().await
}

#[orchestrate(pattern = "lease", idempotent = key)]
async fn pay_at_once(account: &Account, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

/// Runs a call in a current-thread runtime of its own.
fn on_a_thread<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::spawn(call)
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn lease_is_renewed_beside_a_body_that_blocks_its_executor() {
    let (store, account) = (Store::new(), Arc::new(Account::default()));
    let first = on_a_thread({
        let (store, account) = (store.clone(), Arc::clone(&account));
        move || block_on(async { by(&process(&store), "ada", || pay_slowly(&account, 3 * LEASE, 1)).await })
    });
    while account.payments() == 0 {
        std::thread::yield_now();
    }
    let began = Instant::now();
    block_on(async {
        let recorder = process(&store);
        let call = || by(&recorder, "ada", || pay_slowly(&account, Duration::ZERO, 1));
        // Until after the end of the first lease.
        while began.elapsed() < LEASE * 3 / 2 {
            assert_eq!(refused(call().await), StepErrorKind::Aborted);
        }
    });
    assert_eq!(first.join().unwrap().unwrap(), 1);
    assert_eq!(account.payments(), 1);
}

#[tokio::test]
async fn body_whose_lease_cannot_be_renewed_is_dropped() {
    for renewals in [Renewals::Fail, Renewals::Panic] {
        let (store, account) = (Store { renewals, ..Store::new() }, Account::default());
        let recorder = process(&store);
        // Nothing else polls the call.
        let call = by(&recorder, "ada", || pay_never(&account, 1));
        assert_eq!(refused(call.await), StepErrorKind::Unavailable, "{renewals:?}");
        recorder.orchestrator().idle().await;
        assert_eq!(recorder.orchestrator().stats().flows(CallOutcome::Cancelled), 1);
    }
}

#[tokio::test]
async fn answer_that_is_not_confirmed_is_not_returned() {
    let (store, account) = (Store::new(), Account::default());
    store.failing_answers.store(usize::MAX, Ordering::SeqCst);
    let recorder = process(&store);
    let call = || by(&recorder, "ada", || pay_at_once(&account, 1));
    assert_eq!(refused(call().await), StepErrorKind::Unavailable);
    assert_eq!(refused(call().await), StepErrorKind::Aborted, "it is still claimed");
}

#[tokio::test]
async fn answer_is_stored_again_after_a_failure() {
    let (store, account) = (Store::new(), Account::default());
    store.failing_answers.store(2, Ordering::SeqCst);
    let recorder = process(&store);
    for _ in 0..2 {
        assert_eq!(by(&recorder, "ada", || pay_at_once(&account, 1)).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn claim_whose_reply_is_lost_is_released() {
    let (store, account) = (Store::new(), Account::default());
    store.lost_claims.store(1, Ordering::SeqCst);
    let recorder = process(&store);
    let call = || by(&recorder, "ada", || pay_at_once(&account, 1));
    assert_eq!(refused(call().await), StepErrorKind::Unavailable);
    assert_eq!(call().await.unwrap(), 1);
}

#[tokio::test]
async fn answer_after_another_call_has_claimed_the_key_is_not_returned() {
    let (store, account) = (Store { renewals: Renewals::Fail, ..Store::new() }, Account::default());
    let (first, other) = (process(&store), process(&store));
    // The body does not return to the executor before its lease has expired, and another call has claimed the key.
    let call = by(&first, "ada", || overtaken(&account, &other, 1));
    assert_eq!(refused(call.await), StepErrorKind::Aborted);
    assert_eq!(account.payments(), 2);
    assert_eq!(
        by(&first, "ada", || overtaken(&account, &other, 1)).await.unwrap(),
        2,
        "the answer of the other call"
    );
}

#[orchestrate(pattern = "lease", name = "leases::overtaken", idempotent = key)]
async fn overtaken(account: &Account, other: &Recorder, key: u64) -> Result<u64, PayError> {
    let number = account.pay();
    std::thread::sleep(LEASE * 5 / 4);
    std::thread::scope(|scope| {
        let run = || block_on(async { by(other, "ada", || overtakes(account, key)).await.unwrap() });
        scope.spawn(run).join().unwrap();
    });
    Ok(number)
}

#[orchestrate(pattern = "lease", name = "leases::overtaken", idempotent = key)]
async fn overtakes(account: &Account, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[tokio::test(start_paused = true)]
async fn key_of_a_dropped_call_is_claimed_until_its_lease_ends() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let hung_up =
        tokio::time::timeout(Duration::from_secs(1), by(&recorder, "ada", || pay_never(&account, 1)));
    assert!(hung_up.await.is_err());
    let retry =
        || tokio::time::timeout(Duration::from_secs(1), by(&recorder, "ada", || pay_never(&account, 1)));
    assert_eq!(refused(retry().await.unwrap()), StepErrorKind::Aborted);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(retry().await.is_err(), "the body runs again");
    assert_eq!(account.payments(), 2);
}

#[tokio::test]
async fn panic_keeps_the_key_claimed() {
    let recorder = Recorder::new();
    let call = async { by(&recorder, "ada", || panics(1)).await };
    assert!(futures_catch(call).await.is_err());
    assert_eq!(refused(by(&recorder, "ada", || panics(1)).await), StepErrorKind::Aborted);
}

#[orchestrate(pattern = "lease", idempotent = key)]
async fn panics(key: u64) -> Result<u64, PayError> {
    panic!("no")
}

/// Turns a panic of a future into an error.
async fn futures_catch<F: Future>(future: F) -> std::thread::Result<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Ok(std::task::Poll::Ready(output)) => std::task::Poll::Ready(Ok(output)),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn expired_answers_are_purged_every_minute() {
    let store = Store::new();
    let recorder = process(&store);
    let mut purged = Vec::new();
    for seconds in [9, 2, 59, 2] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        purged.push(store.purges.load(Ordering::SeqCst));
    }
    assert_eq!(purged, [0, 1, 1, 2]);
    drop(recorder);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(store.purges.load(Ordering::SeqCst), 2, "it ends with its orchestrator");
}

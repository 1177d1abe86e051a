//! Random schedules: tasks that call, while the links to the server fail and come back.

use std::sync::Arc;

use graceful_tests::{Link, Proxy};
use tokio::task::JoinHandle;

/// A generator of its own per task, so that a schedule is told by its number.
pub struct Dice(pub u64);

impl Dice {
    pub fn throw(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}

/// What the tasks of a schedule call.
pub trait Schedule: Send + Sync + 'static {
    const TASKS: u64;
    /// How often each task calls.
    const CALLS: u64;
    /// One change of a link of this many is a fault.
    const FAULTS_ONE_IN: usize;
    /// How often the others run, at most, between two changes of a link.
    const YIELDS: usize;

    fn call(self: &Arc<Self>, dice: &mut Dice) -> impl Future<Output = ()> + Send;
}

/// Makes all calls of a schedule while the links of two proxies fail. At the end the links are up, and what was under way in a black hole
/// arrives late.
pub async fn make_all_calls<S: Schedule>(schedule: &Arc<S>, number: u64, proxies: &[Proxy; 2]) {
    let task = |task| {
        let (schedule, mut dice) = (Arc::clone(schedule), Dice(number * 1000 + task));
        tokio::spawn(async move {
            for _ in 0..S::CALLS {
                schedule.call(&mut dice).await;
            }
        })
    };
    let tasks: Vec<_> = (0..S::TASKS).map(task).collect();
    let mut dice = Dice(number * 1000 + 999);
    while !tasks.iter().all(JoinHandle::is_finished) {
        let fails = dice.throw(S::FAULTS_ONE_IN) == 0;
        let link = if fails { Link::FAULTS[dice.throw(Link::FAULTS.len())] } else { Link::Up };
        proxies[dice.throw(2)].set(link).await;
        for _ in 0..dice.throw(S::YIELDS) {
            tokio::task::yield_now().await;
        }
    }
    for task in tasks {
        task.await.unwrap_or_else(|error| panic!("schedule {number}: {error}"));
    }
    for proxy in proxies {
        proxy.set(Link::Up).await;
    }
}

/// Runs so many schedules at once, and that in so many batches. Returns the sums of what they count.
pub async fn run_in_batches<const N: usize, F>(batches: u64, at_once: u64, run: impl Fn(u64) -> F) -> [u64; N]
where
    F: Future<Output = [u64; N]> + Send + 'static,
{
    let mut counts = [0; N];
    for batch in 0..batches {
        let numbers = batch * at_once..(batch + 1) * at_once;
        let schedules: Vec<_> = numbers.map(|number| tokio::spawn(run(number))).collect();
        for schedule in schedules {
            let more = schedule.await.unwrap();
            counts = std::array::from_fn(|index| counts[index] + more[index]);
        }
    }
    counts
}

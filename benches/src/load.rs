//! Many concurrent callers.

use std::time::Instant;

use tokio::task::JoinSet;

/// Calls per second of `tasks` concurrent callers. The call gets the number of its caller, and its own number.
pub async fn per_second<F, Fut>(tasks: u64, calls: u64, call: F) -> f64
where
    F: Fn(u64, u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let begun = Instant::now();
    let mut calling = JoinSet::new();
    for task in 0..tasks {
        let call = call.clone();
        calling.spawn(async move {
            for number in 0..calls / tasks {
                call(task, number).await;
            }
        });
    }
    calling.join_all().await;
    rate(calls, begun)
}

/// Calls per second since then.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn rate(calls: u64, begun: Instant) -> f64 {
    calls as f64 / begun.elapsed().as_secs_f64()
}

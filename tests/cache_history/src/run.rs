//! Makes the calls of a plan, and tells the checker about each.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use tokio::task::JoinSet;

use crate::{
    call::{Call, Caller, Ending},
    data::{Failure, Profile, Seen, Write},
    source::{Source, within_call},
    system::System,
    workload::{Choice, Plan},
};

/// Makes calls in all tasks of a plan, until enough were made.
pub async fn run<S: System>(source: &Arc<Source>, system: &Arc<S>, plan: &Plan) {
    let mut tasks = JoinSet::new();
    for task in 0..plan.tasks {
        let caller = Caller { process: plan.process, task };
        let (source, system, plan) = (Arc::clone(source), Arc::clone(system), plan.clone());
        tasks.spawn(async move {
            let mut choices = plan.choices(task);
            let mut operations = 0;
            while operations < plan.operations {
                operations = call(&source, &*system, caller, choices.next(operations), false).await;
            }
        });
    }
    tasks.join_all().await;
}

/// Reads everything that was used, when no call is in progress: then each read must see the database as it is.
pub async fn read_at_rest<S: System>(source: &Arc<Source>, system: &Arc<S>, plan: &Plan) {
    source.at_rest().await;
    system.at_rest().await;
    let caller = Caller { process: plan.process, task: plan.tasks };
    let operations = source.progress().await;
    for id in plan.all_entities(operations) {
        for read in [Call::ReadUser(id), Call::ReadOrder(id), Call::ReadOrders(id), Call::ReadProfile(id)] {
            call(source, &**system, caller, Choice { call: read, polls: None }, true).await;
        }
    }
}

/// Returns the number of the call.
async fn call(source: &Source, system: &impl System, caller: Caller, choice: Choice, at_rest: bool) -> u64 {
    let operation = source.begin(caller, choice.call, at_rest).await;
    let answered = Box::pin(within_call(operation, answer(system, operation, choice.call)));
    let ending = match choice.polls {
        None => answered.await,
        Some(polls) => dropped_after(polls, answered).await.unwrap_or(Ending::Cancelled),
    };
    source.end(operation, ending).await;
    operation
}

async fn answer(system: &impl System, operation: u64, call: Call) -> Ending {
    match call {
        Call::ReadUser(id) => saw(system.user(id).await, |user| vec![Seen::user(id, user.as_ref())]),
        Call::ReadOrder(id) => saw(system.order(id).await, |order| vec![Seen::order(id, order.as_ref())]),
        Call::ReadOrders(customer) => {
            saw(system.orders(customer).await, |orders| vec![Seen::orders(customer, &orders)])
        }
        Call::ReadProfile(id) => saw(system.profile(id).await, |Profile { user, orders }| {
            vec![Seen::user(id, user.as_ref()), Seen::orders(id, &orders)]
        }),
        Call::Write(write) => written(system, operation, write).await,
    }
}

fn saw<T>(answer: Result<T, Failure>, seen: impl FnOnce(T) -> Vec<Seen>) -> Ending {
    answer.map_or(Ending::Failed, |value| Ending::Saw(seen(value)))
}

async fn written(system: &impl System, operation: u64, write: Write) -> Ending {
    match system.write(operation, write).await {
        Ok(()) => Ending::Acknowledged,
        Err(Failure::Refused) => Ending::Refused,
        Err(Failure::Unavailable) => Ending::Unknown,
    }
}

/// Polls a future this often at most, then drops it: `None`.
async fn dropped_after<F: Future + Unpin>(polls: u32, mut future: F) -> Option<F::Output> {
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match Pin::new(&mut future).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

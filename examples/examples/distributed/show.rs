//! Starts the processes, has them do something, kills two, and counts what is left. What is not as promised is an error.

use std::time::Duration;

use graceful::backends::{FlowState, FlowStore as _};
use graceful_postgres::Store;
use tokio::time::timeout;

use crate::{Done, left::Left, place::Place, process::Stage};

/// So many renames by each of two processes.
const RENAMES: usize = 300;

/// How many fail: two before, and each tenth of one process.
const FAILURES: i64 = 2 + 30;

/// After so many answers, one of them is killed.
const KILLED_AFTER: usize = 100;

/// So many users, so that one has several names.
const USERS: usize = 20;

pub async fn run() -> Done {
    let place = Place::found();
    place.create().await?;
    let shown = show(&place).await;
    let removed = place.remove().await;
    shown.and(removed)
}

async fn show(place: &Place) -> Done {
    println!("The environment of all processes names the servers:");
    for (name, value) in place.environment() {
        println!("  {name}={}", without_password(&value));
    }
    let mut stage = Stage::new(place.environment());
    let mut a = stage.start("users a", "service").await?;
    let mut b = stage.start("users b", "service").await?;
    let consumer = stage.start("letters", "consumer").await?;

    println!(
        "\nAn Ok. Its steps run where a relay has found the flow; what the one has cached, the other finds."
    );
    a.told("rename 1 Ada").await?;
    stage.hears(&["rename 1 Ada -> Ok", "the flow of user 1, OK: ", "Dear Ada"]).await?;
    b.told("read 1").await?;
    stage.hears(&["read 1 -> Ada, from the cache"]).await?;

    println!(
        "\nAn Err that is the service's own fault: what was cached is no more, and a review job is open."
    );
    a.told("rename 1 crash").await?;
    stage.hears(&["-> Err, UNAVAILABLE", "the flow of user 1, UNAVAILABLE: ", "Sorry, "]).await?;
    b.told("read 1").await?;
    stage.hears(&["read 1 -> Ada, from the table"]).await?;

    println!("\nAn Err that is its client's fault, and an Ok again, which closes the job.");
    a.told("rename 1 ").await?;
    stage.hears(&["-> Err, INVALID_ARGUMENT", "the flow of user 1, INVALID_ARGUMENT: ", "Sorry, "]).await?;
    b.told("rename 1 Augusta").await?;
    stage.hears(&["-> Ok", "the flow of user 1, OK: ", "Dear Augusta"]).await?;

    println!(
        "\n{RENAMES} renames for each process; one process is killed on the way, and the consumer, too."
    );
    stage.aloud(false);
    for number in 0..RENAMES {
        a.told(&format!("rename {} a{number}", number % USERS)).await?;
        let name = if number % 10 == 5 { "crash".to_owned() } else { format!("b{number}") };
        b.told(&format!("rename {} {name}", number % USERS)).await?;
    }
    stage.hears(&[&format!(" a{KILLED_AFTER} -> Ok")]).await?;
    a.kill().await?;
    consumer.kill().await?;
    let store = Store::connect(&place.store()).await?;
    let waiting = store.count(FlowState::Queued.into(), 1_000_000).await?;
    println!("  killed, with {waiting} flows that wait, or were under way");
    let consumer = stage.start("letters", "consumer").await?;
    b.told("read 1").await?;
    stage.hears(&["read 1 -> "]).await?;

    let left = timeout(Duration::from_secs(60), Left::of(place, &store)).await;
    let left = left.map_err(|_| "not everything was done within a minute")??;
    b.kill().await?;
    consumer.kill().await?;
    println!("\nWhat is left when all is done:");
    left.is_as_promised(FAILURES)
}

fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, server))) => format!("{scheme}://…@{server}"),
        _ => url.to_owned(),
    }
}

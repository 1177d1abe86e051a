//! The cost of each query of operations, and of an action, with 10,000 and with 1,000,000 flows or audit records, for both stores.
//!
//! `cargo bench -p graceful-benches-durable --bench queries` prints a table of the medians of 15 calls, in milliseconds. Of ten flows six are
//! completed, two are queued and two are dead, of ten handlers and a hundred tenants; the dead letters have three causes. PostgreSQL is
//! expected at its standard port or at the URL in `GRACEFUL_BENCH_POSTGRES`; the bench creates a schema in it, and removes it. `-- sqlite` or
//! `-- postgres` measures one store, `-- flows`, `-- audit` or `-- pages` (of the console) one
//! part.

#[path = "audit.rs"]
mod audit;
#[path = "filled.rs"]
mod filled;
#[path = "pages.rs"]
mod pages;

use std::time::{Duration, Instant};

use graceful::{
    Orchestrator, OrchestratorBuilder,
    backends::{FlowFilter, FlowQuery, FlowStore, Uuid},
};

use self::filled::Filled;

const CALLS: usize = 15;
const SCHEMA: &str = "graceful_bench_queries";

/// Row `n`. Every second of the queued rows has failed once.
const ROW: [&str; 7] = [
    "'svc:t' || (n % 100) || ':user:' || (n / 3)",
    "'svc::handler_' || (n % 10)",
    "CASE WHEN n % 10 < 6 THEN 1 WHEN n % 10 < 8 THEN 0 ELSE 2 END",
    "CASE WHEN n % 10 < 6 THEN NULL ELSE 72057594037927936 + n % 3 END",
    "CASE WHEN n % 10 < 6 THEN NULL ELSE 'audit' END",
    "CASE WHEN n % 10 < 6 THEN NULL ELSE 'no space for ' || n END",
    "-n",
];

const QUERIES: [(&str, &[(&str, &str)]); 12] = [
    ("all", &[]),
    ("dead", &[("state", "dead")]),
    ("queued", &[("state", "queued")]),
    ("handler", &[("handler", "svc::handler_3")]),
    ("handler, dead", &[("handler", "svc::handler_8"), ("state", "dead")]),
    ("entity", &[("entity", "svc:t8:user:2")]),
    ("tenant", &[("tenant", "t8"), ("state", "dead")]),
    ("step", &[("step", "audit")]),
    ("step that never failed", &[("step", "event")]),
    ("group", &[("group", "0100000000000001")]),
    ("text of one flow", &[("text", "for 9999"), ("state", "dead")]),
    ("since", &[("since", "2h"), ("handler", "svc::handler_3")]),
];

async fn median<T>(call: impl AsyncFn() -> T) -> f64 {
    let mut took = Vec::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        call().await;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_unstable_by(f64::total_cmp);
    took[CALLS / 2]
}

async fn measured(store: &impl FlowStore) -> Vec<(String, f64)> {
    let mut figures = Vec::new();
    for (name, pairs) in QUERIES {
        let filter = FlowFilter::parse(pairs.iter().copied()).unwrap();
        let query = FlowQuery::new(filter.clone(), 50);
        figures.push((
            format!("page: {name}"),
            median(async || store.flows(query.clone()).await.unwrap()).await,
        ));
        // The page in the middle of what was stored.
        let first = store.flows(query.clone()).await.unwrap();
        if let Some(next) = first.next {
            let next = query.clone().continued(next).unwrap();
            let page = median(async || store.flows(next.clone()).await.unwrap()).await;
            figures.push((format!("next page: {name}"), page));
        }
        let count = median(async || store.count(filter.clone(), 1000).await.unwrap()).await;
        figures.push((format!("count up to 1,000: {name}"), count));
    }
    for (name, pairs) in [("all", &[][..]), ("dead", &[("state", "dead")]), ("tenant", &[("tenant", "t8")])] {
        let filter = FlowFilter::parse(pairs.iter().copied()).unwrap();
        let groups = median(async || store.groups(filter.clone(), 1000).await.unwrap()).await;
        figures.push((format!("groups: {name}"), groups));
    }
    figures.push(("lag".to_owned(), median(async || store.lag(1000).await.unwrap()).await));
    let dead = Uuid::from_u128(8);
    figures.push(("attempts".to_owned(), median(async || store.attempts(dead).await.unwrap()).await));
    let queued = Uuid::from_u128(6);
    let postpone = median(async || store.postpone(queued, Duration::from_secs(1)).await.unwrap());
    figures.push(("postpone".to_owned(), postpone.await));
    figures
}

/// A small store may have no second page.
fn shown_number(number: f64) -> String {
    if number.is_nan() { "-".to_owned() } else { format!("{number:.2}") }
}

fn builder() -> OrchestratorBuilder {
    Orchestrator::builder().service("svc").in_memory()
}

async fn of(store: &str, part: &str, rows: u32) -> Option<Vec<(String, f64)>> {
    let filled = Filled::new(SCHEMA, ROW, rows);
    Some(match (store, part) {
        ("sqlite", "flows") => {
            let (_dir, store) = filled.sqlite().await;
            measured(&store).await
        }
        ("sqlite", "audit") => {
            let (_dir, store) = audit::sqlite(rows).await;
            audit::measured(&store).await
        }
        ("sqlite", _) => {
            let (_dir, store) = filled.sqlite().await;
            let mut figures = pages::of_flows(builder().store(store)).await;
            let (_dir, store) = audit::sqlite(rows).await;
            figures.extend(pages::of_audit(builder().store(store)).await);
            figures
        }
        (_, "pages") => {
            let mut figures = pages::of_flows(builder().store(filled.postgres().await?)).await;
            figures.extend(pages::of_audit(builder().store(audit::postgres(SCHEMA, rows).await?)).await);
            figures
        }
        (_, "flows") => measured(&filled.postgres().await?).await,
        _ => audit::measured(&audit::postgres(SCHEMA, rows).await?).await,
    })
}

async fn queries(is_measured: impl Fn(&[&str], &str) -> bool) {
    let (stores, parts) = (["sqlite", "postgres"], ["flows", "audit", "pages"]);
    println!("| store | query | with 10,000 | with 1,000,000 | ratio |\n| --- | --- | --- | --- | --- |");
    for (name, shown) in stores.into_iter().zip(["SQLite", "PostgreSQL"]) {
        for part in parts {
            if !is_measured(&stores, name) || !is_measured(&parts, part) {
                continue;
            }
            let few = of(name, part, 10_000).await;
            let (Some(few), Some(many)) = (few, of(name, part, 1_000_000).await) else { continue };
            for ((query, few), (_, many)) in few.into_iter().zip(many) {
                let cells = [few, many, many / few].map(shown_number).join(" | ");
                println!("| {shown} | {query} | {cells} |");
            }
        }
    }
    filled::drop_schema(SCHEMA).await;
}

fn main() {
    let chosen: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    // Without an argument of a kind, all of this kind.
    let is_measured = |kind: &[&str], name: &str| {
        let mut of_kind = chosen.iter().filter(|chosen| kind.contains(&chosen.as_str())).peekable();
        of_kind.peek().is_none() || of_kind.any(|chosen| chosen == name)
    };
    tokio::runtime::Runtime::new().unwrap().block_on(queries(is_measured));
}

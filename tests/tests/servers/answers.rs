//! SQLite, PostgreSQL and the memory give the same answers to the same calls, whatever texts and times these contain.

mod calls;

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use graceful::{
    Sha256,
    backends::{
        Alerter, AuditLog, Claim, FailureGroup, FlowQuery, FlowStore, FlowSummary, Inbox, InboxEntry,
        IncidentFilter, Job, MetadataStore, Nexus, Room, Scheduler, StoredFlow, Uuid, memory,
    },
};
use graceful_tests::{
    servers::{POSTGRES, drop_schema, unique},
    soak,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use self::calls::{Call, World};

const HOUR: Duration = Duration::from_secs(60 * 60);
const CALLS: usize = 600;

/// The backends in memory, as one.
#[derive(Debug, Default)]
struct Memory {
    metadata: memory::MetadataStore,
    nexus: memory::Nexus,
    alerts: memory::Alerts,
    jobs: memory::Scheduler,
    inbox: memory::Inbox,
    audit: memory::AuditLog,
    flows: memory::Flows,
}

/// One store's part of the test: what it has claimed and polled.
#[derive(Debug, Default)]
struct Held {
    claims: BTreeMap<Uuid, Claim>,
    jobs: BTreeMap<String, Job>,
}

struct Stores<'s, M, N, A, J, I, L, F>(&'s M, &'s N, &'s A, &'s J, &'s I, &'s L, &'s F);

fn stored(flow: &StoredFlow) -> String {
    format!("{} {}", summary(&flow.summary), Sha256::of(&flow.body))
}

/// Without the times, which are those of another clock.
fn summary(flow: &FlowSummary) -> String {
    format!(
        "{} {:?} {:?} {:?} {} {} {} {:?} {} {}",
        flow.id,
        flow.entity,
        flow.handler,
        flow.state,
        flow.running,
        flow.attempts,
        flow.resubmitted,
        flow.failure,
        flow.failed_at.is_some(),
        flow.ended_at.is_some(),
    )
}

fn job(job: &Job) -> String {
    format!(
        "{} {:?} {:?} {} {} {:?} {} {:?} {} {} {}",
        job.id,
        job.entity,
        job.owner,
        job.flow,
        job.code,
        job.error,
        job.bumps,
        job.opened_at,
        job.attempts,
        job.held_until.is_some(),
        job.token.is_some()
    )
}

fn sorted(mut lines: Vec<String>) -> String {
    lines.sort();
    lines.join("\n")
}

impl<M: MetadataStore, N: Nexus, A: Alerter, J: Scheduler, I: Inbox, L: AuditLog, F: FlowStore>
    Stores<'_, M, N, A, J, I, L, F>
{
    async fn answer(&self, held: &mut Held, call: Call) -> String {
        match self.try_answer(held, call).await {
            Ok(answer) => answer,
            Err(error) => format!("failed: {error:?}"),
        }
    }

    #[allow(clippy::too_many_lines, reason = "one arm a method")]
    async fn try_answer(&self, held: &mut Held, call: Call) -> Result<String, graceful::StepError> {
        let Self(metadata, nexus, alerts, jobs, inbox, audit, flows) = self;
        let text = |value: &dyn Debug| format!("{value:?}");
        Ok(match call {
            Call::Record(flow) => text(&metadata.record(&flow).await?),
            Call::Latest(flow) => text(&metadata.latest(&flow.entity()).await?),
            Call::State(flow) => text(&metadata.state(flow.id()).await?),
            Call::Register(flow) => text(&nexus.register(&flow).await?),
            Call::Patterns => text(&nexus.patterns(None, usize::MAX).await?),
            Call::Trace(flow) => {
                let mut trace = nexus.trace(&flow.nexus_key()).await?;
                trace.sort_by_key(|used| (used.at, used.flow));
                text(&trace)
            }
            Call::Fire(flow, severity) => text(&alerts.fire(&flow, severity).await?),
            Call::Resolve(flow) => text(&alerts.resolve(&flow).await?),
            Call::Alerts(limit) => {
                let open = alerts.open(IncidentFilter::default(), None, 1000).await?.items;
                assert!(open.is_sorted_by_key(|alert| alert.fired_at));
                let open = open.iter().map(|alert| format!("{alert:?}")).collect();
                sorted(open) + &text(&alerts.resolved(limit).await?)
            }
            Call::Open(flow, after) => text(&jobs.open(&flow, after).await?),
            Call::Complete(incident) => text(&jobs.complete(&incident).await?),
            Call::Jobs => sorted(
                jobs.jobs(IncidentFilter::default(), None, 1000).await?.items.iter().map(job).collect(),
            ),
            Call::Poll(limit, lease) => {
                let polled = jobs.poll(limit, lease).await?;
                let answer = polled.iter().map(job).collect::<Vec<_>>().join("\n");
                held.jobs.extend(polled.into_iter().map(|job| (job.id.clone(), job)));
                answer
            }
            Call::Finish(place) => match held.jobs.values().nth(place) {
                None => String::new(),
                Some(job) => text(&jobs.finish(job).await?),
            },
            Call::Postpone(place, after, error) => match held.jobs.values().nth(place) {
                None => String::new(),
                Some(job) => text(&jobs.postpone(job, after, &error).await?),
            },
            Call::Handle(consumer, event, commits) => match inbox.begin(&consumer, &event).await? {
                InboxEntry::Again => "again".to_owned(),
                InboxEntry::First(transaction) => {
                    if commits {
                        inbox.commit(transaction).await?;
                    }
                    "first".to_owned()
                }
            },
            Call::Append(flow) => text(&audit.append(&flow).await?),
            Call::Records(flow, limit) => {
                text(&audit.records(flow.map(|flow| flow.entity()).as_ref(), limit).await?)
            }
            Call::Enqueue(flow) => text(&flows.enqueue(flow).await?),
            Call::Claim(limit, lease) => {
                let claims = flows.claim(Room::of(limit), lease).await?;
                let answer = claims.iter().map(|claim| {
                    let Claim { id, attempt, handler, resubmitted, lane, body, .. } = claim;
                    format!("{id} {attempt} {handler:?} {resubmitted} {lane:?} {}", Sha256::of(body))
                });
                let answer = sorted(answer.collect());
                held.claims.extend(claims.into_iter().map(|claim| (claim.id, claim)));
                answer
            }
            Call::Outcome(place, outcome) => match held.claims.values().nth(place) {
                None => String::new(),
                Some(claim) => text(&flows.record_outcome(claim.claim_id(), outcome).await?),
            },
            Call::List(filter, limit) => {
                let (mut list, mut query) = (Vec::new(), FlowQuery::new(filter, limit));
                loop {
                    let page = flows.flows(query.clone()).await?;
                    list.extend(page.items.iter().map(summary));
                    let Some(next) = page.next else { break };
                    query = query.continued(next).map_err(graceful::StepError::caused_by)?;
                }
                list.join("\n")
            }
            Call::Count(filter, cap) => text(&flows.count(filter, cap).await?),
            Call::Groups(filter, cap) => {
                let groups = flows.groups(filter, cap).await?.groups;
                let group = |group: &FailureGroup| {
                    let FailureGroup { handler, cause, dead, retrying, example, .. } = group;
                    format!("{handler:?} {cause:?} {dead} {retrying} {example}")
                };
                groups.iter().map(group).collect::<Vec<_>>().join("\n")
            }
            Call::Attempts(id) => {
                let attempts = flows.attempts(id).await?;
                attempts.iter().fold(String::new(), |all, one| {
                    format!(
                        "{all}{} {} {:?}
",
                        one.resubmitted, one.number, one.failure
                    )
                })
            }
            Call::Lag(cap) => {
                let lag = flows.lag(cap).await?;
                format!("{} {} {} {}", lag.queued, lag.running, lag.dead, lag.oldest_due.is_some())
            }
            Call::Get(id) => text(&flows.get(id).await?.as_ref().map(stored)),
            Call::Resubmit(id) => text(&flows.resubmit(id).await?),
            Call::Discard(id, from) => text(&flows.discard(id, from).await?),
            Call::Delay(id, time) => text(&flows.postpone(id, time).await?),
            Call::Purge(state, age) => text(&flows.purge(state, age).await?),
        })
    }
}

async fn compare(seed: u64, repeats: bool) {
    let schema = unique("answers").replace('-', "_");
    let url = |schema| format!("postgres://postgres@{POSTGRES}/test?options[search_path]={schema}");
    let mut connection = PgConnection::connect(&url("public")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.unwrap();
    let url = url(&schema);
    graceful_postgres::Store::migrate(&url).await.unwrap();
    let postgres = graceful_postgres::Store::connect(&url).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let sqlite = graceful_sqlite::Store::open(directory.path().join("answers.db")).await.unwrap();
    let memory = Memory::default();

    let (mut held, mut different) = (<[Held; 3]>::default(), Vec::new());
    let mut world = World::new(seed, repeats);
    for number in 0..CALLS {
        let call = world.call();
        let [of_memory, of_sqlite, of_postgres] = &mut held;
        let store = Stores(&sqlite, &sqlite, &sqlite, &sqlite, &sqlite, &sqlite, &sqlite);
        let first = store.answer(of_sqlite, call.clone()).await;
        let store = Stores(&postgres, &postgres, &postgres, &postgres, &postgres, &postgres, &postgres);
        let second = store.answer(of_postgres, call.clone()).await;
        let m = &memory;
        let store = Stores(&m.metadata, &m.nexus, &m.alerts, &m.jobs, &m.inbox, &m.audit, &m.flows);
        let third = store.answer(of_memory, call.clone()).await;
        let mut answers = vec![first, second];
        if !repeats {
            answers.push(third);
        }
        let has_failed = answers.iter().any(|answer| answer.starts_with("failed"));
        if has_failed || answers.windows(2).any(|pair| pair[0] != pair[1]) {
            let lines = answers.iter().map(|answer| answer.chars().take(700).collect::<String>());
            let call = format!("{call:?}").chars().take(200).collect::<String>();
            different.push(format!("{number} {call}:\n{}", lines.collect::<Vec<_>>().join("\n")));
        }
    }
    assert_eq!(sqlite.verify(None).await.unwrap().sequence, postgres.verify(None).await.unwrap().sequence);
    drop(postgres);
    drop_schema(&mut connection, &schema).await;
    assert!(different.is_empty(), "seed {seed}: {} differ:\n{}", different.len(), different.join("\n"));
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn stores_give_the_same_answers() {
    for seed in 0..u64::from(soak::cases(3)) {
        compare(seed, false).await;
    }
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn sql_stores_give_the_same_answers_to_repeated_flows() {
    for seed in 100..100 + u64::from(soak::cases(3)) {
        compare(seed, true).await;
    }
}

//! The store of triples, which is replaced before deleted triples fill it.
//!
//! In-memory `oxigraph` marks deleted triples and never frees them. So live data moves to a new store from time to time, a few flows with each
//! change, so that no change waits for all of them. The newest flows move first, so that the flows that are deleted next need not
//! move.

use std::{fmt, mem, sync::Arc};

use graceful::{
    StepError,
    backends::{Activity, Rows},
};
use jiff::Timestamp;
use oxigraph::{
    sparql::{CancellationToken, QueryResults, SparqlEvaluator},
    store::Store,
};
use oxrdf::{GraphNameRef, Triple};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::retained::Retained;
use crate::{all, answered, described, fact, own, row};

/// The least number of deleted flows that justifies a new store.
const WORTH_IT: usize = 256;
/// How many flows move with each change: more than one, or the move would never end.
const MOVED_AT_ONCE: usize = 2;

pub struct Triples {
    store: Store,
    forgotten: usize,
    renewal: Option<Renewal>,
}

/// What is said so far in the store to come.
struct Renewal {
    store: Store,
    /// The last one that moved: all that are newer have.
    moved: Option<(Timestamp, Uuid)>,
    forgotten: usize,
}

impl Renewal {
    fn has_moved(&self, activity: &Activity) -> bool {
        self.moved.is_some_and(|moved| moved <= (activity.at, activity.flow))
    }
}

impl Triples {
    pub fn new() -> Self {
        Self { store: store(), forgotten: 0, renewal: None }
    }

    /// Says what was added, and no more what was forgotten; `retained` is as it is after that.
    pub fn change(
        &mut self,
        added: Option<&Activity>,
        forgotten: &[Arc<Activity>],
        retained: &Retained,
    ) -> Result<(), StepError> {
        let said: Vec<Triple> = added.into_iter().flat_map(all).collect();
        let unsaid: Vec<Triple> = forgotten.iter().flat_map(|activity| unsaid(activity, retained)).collect();
        if said.is_empty() && unsaid.is_empty() {
            return Ok(());
        }
        write(&self.store, &said, &unsaid)?;
        self.forgotten += forgotten.len();
        if let Some(renewal) = &mut self.renewal {
            write(&renewal.store, &said, &unsaid)?;
            renewal.forgotten += forgotten.iter().filter(|activity| renewal.has_moved(activity)).count();
        } else if self.forgotten >= (retained.len() / 2).max(WORTH_IT) {
            self.renewal = Some(Renewal { store: store(), moved: None, forgotten: 0 });
        }
        self.renew(retained)
    }

    fn renew(&mut self, retained: &Retained) -> Result<(), StepError> {
        let Some(renewal) = &mut self.renewal else { return Ok(()) };
        let mut left = MOVED_AT_ONCE;
        for activity in retained.before(renewal.moved).take(MOVED_AT_ONCE) {
            write(&renewal.store, &all(activity), &[])?;
            renewal.moved = Some((activity.at, activity.flow));
            left -= 1;
        }
        if left > 0 {
            free(mem::replace(&mut self.store, renewal.store.clone()));
            self.forgotten = renewal.forgotten;
            self.renewal = None;
        }
        Ok(())
    }

    /// A query of what is said now.
    pub fn query(&self) -> Query {
        Query { store: self.store.clone(), token: CancellationToken::new() }
    }
}

/// A store is long to free: not while others wait for us.
fn free(store: Store) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(store))),
        Err(_) => drop(store),
    }
}

fn store() -> Store {
    Store::new().expect("a store in memory needs nothing that could be missing")
}

/// What only this flow said.
fn unsaid(activity: &Activity, retained: &Retained) -> Vec<Triple> {
    let mut triples = own(activity);
    triples.extend(fact(activity).filter(|_| !retained.says(activity)));
    let entities = std::iter::once(&activity.entity).chain(&activity.to);
    triples.extend(entities.filter(|entity| !retained.mentions(entity)).flat_map(described));
    triples
}

fn write(store: &Store, said: &[Triple], unsaid: &[Triple]) -> Result<(), StepError> {
    let mut change = store.start_transaction().map_err(StepError::caused_by)?;
    for triple in unsaid {
        change.remove(triple.as_ref().in_graph(GraphNameRef::DefaultGraph));
    }
    for triple in said {
        change.insert(triple.as_ref().in_graph(GraphNameRef::DefaultGraph));
    }
    change.commit().map_err(StepError::caused_by)
}

impl fmt::Debug for Triples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Triples").field("forgotten", &self.forgotten).finish_non_exhaustive()
    }
}

pub struct Query {
    store: Store,
    token: CancellationToken,
}

/// Ends a query when it is dropped.
pub struct EndsQuery(CancellationToken);

impl Drop for EndsQuery {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Query {
    pub fn ended_with(&self) -> EndsQuery {
        EndsQuery(self.token.clone())
    }

    pub fn run(self, sparql: &str) -> Result<Rows, StepError> {
        let query = SparqlEvaluator::new()
            .with_cancellation_token(self.token)
            .parse_query(sparql)
            .map_err(StepError::caused_by)?;
        let solutions = match query.on_store(&self.store).execute().map_err(StepError::caused_by)? {
            QueryResults::Solutions(solutions) => solutions,
            QueryResults::Boolean(answer) => return Ok(answered(answer)),
            QueryResults::Graph(_) => {
                return Err(StepError::new("only `SELECT` and `ASK` queries are supported"));
            }
        };
        let variables = solutions.variables().iter().map(|variable| variable.as_str().into()).collect();
        let mut rows = Vec::new();
        for solution in solutions {
            rows.push(row(solution.map_err(StepError::caused_by)?.values()));
        }
        Ok(Rows::new(variables, rows))
    }
}

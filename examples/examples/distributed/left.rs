//! What is in the servers when nothing is under way any more.

use std::time::Duration;

use graceful::backends::{FlowFilter, FlowState, FlowStore as _};
use graceful_postgres::Store;
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use crate::{Done, place::Place};

pub struct Left {
    completed: i64,
    dead: i64,
    audited: i64,
    events: i64,
    names: i64,
    letters: Letters,
}

/// For a name, for a failure, and for how many different events.
type Letters = (i64, i64, i64);

const LETTERS: &str = "SELECT count(*) FILTER (WHERE name = 'user_renamed'), \
     count(*) FILTER (WHERE name = 'user_renamed.failed'), count(DISTINCT event) FROM letters";

impl Left {
    /// Waits until no flow is under way, and there is a letter for each event.
    pub async fn of(place: &Place, store: &Store) -> Done<Self> {
        let mut connection = PgConnection::connect(&place.store()).await?;
        let flows = async |state| {
            let flows = store.count(FlowFilter::from(state), u64::MAX).await?;
            Done::Ok(i64::try_from(flows.number)?)
        };
        loop {
            let queued = flows(FlowState::Queued).await?;
            let events = place.events().await?;
            let letters: Letters = sqlx::query_as(LETTERS).fetch_one(&mut connection).await?;
            if queued == 0 && letters.2 >= events {
                let names = sqlx::query_scalar("SELECT sum(version)::bigint FROM users");
                return Ok(Self {
                    completed: flows(FlowState::Completed).await?,
                    dead: flows(FlowState::Dead).await?,
                    audited: store.verify(None).await?.sequence,
                    events,
                    names: names.fetch_one(&mut connection).await?,
                    letters,
                });
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Nothing is lost, and nothing had its effect twice.
    pub fn is_as_promised(&self, failures: i64) -> Done {
        let Self { completed, dead, audited, events, names, letters } = self;
        let (greetings, apologies, answered) = letters;
        println!("  {names:>4} names in the table, and {failures} failures");
        println!("  {completed:>4} flows completed, {dead} dead letters");
        println!("  {audited:>4} records in the audit log, whose chain is whole");
        println!("  {events:>4} events in the stream");
        println!(
            "  {greetings:>4} letters for a name, {apologies} for a failure; for {answered} different events"
        );
        let (is, must_be) = (
            [completed, dead, audited, events, greetings, apologies, answered],
            [names + failures, 0, names + failures, names + failures, *names, failures, names + failures],
        );
        if is.map(|&count| count) == must_be {
            Ok(())
        } else {
            Err("something is lost, or was done twice".into())
        }
    }
}

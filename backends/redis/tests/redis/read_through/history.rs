//! No read returns a value older than the last acknowledged write of anything that it depends on, and when all has come to rest, no entry is
//! older than the database.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use graceful::{
    Payload,
    backends::{CacheEntry, End, Ended, Hit, LookUp, Timestamp, Write},
};
use graceful_redis::Cache;
use graceful_tests::{Proxy, gate::until};
use tokio::{task::yield_now, time::sleep};

use super::{Case, LONG, name, url};
use crate::schedules::{self, Dice, make_all_calls, run_in_batches};

const BATCHES: u64 = 3;
const AT_ONCE: u64 = 10;

/// The versions of the entity and of the one that it depends on: in the database, in a value, or of the last acknowledged writes.
type Versions = [u64; 2];

/// One entry, which several processes write and read over links that fail.
struct Schedule {
    /// Each process.
    cases: Vec<Case>,
    database: Mutex<Versions>,
    acknowledged: Mutex<Versions>,
    /// How many reads hit, how many fills and puts were stored, how many restores succeeded, and how many calls failed.
    counts: [AtomicU64; 5],
}

const HITS: usize = 0;
const FILLS: usize = 1;
const PUTS: usize = 2;
const RESTORES: usize = 3;
const FAILURES: usize = 4;

impl schedules::Schedule for Schedule {
    const TASKS: u64 = 6;
    const CALLS: u64 = 100;
    const FAULTS_ONE_IN: usize = 4;
    const YIELDS: usize = 500;

    async fn call(self: &Arc<Self>, dice: &mut Dice) {
        let case = &self.cases[dice.throw(self.cases.len())];
        match dice.throw(20) {
            0 => self.write(case, 1, dice).await,
            1 | 2 => self.write(case, 0, dice).await,
            3 => self.evict(case, dice).await,
            _ => self.read(case, dice).await,
        }
    }
}

impl Schedule {
    fn count(&self, what: usize, holds: bool) {
        self.counts[what].fetch_add(u64::from(holds), Ordering::SeqCst);
    }

    /// Each part of a body takes its time, and some take that of whole writes.
    async fn wait(dice: &mut Dice) {
        match dice.throw(3) {
            0 => sleep(Duration::from_millis(dice.throw(10) as u64)).await,
            _ => yield_now().await,
        }
    }

    /// Writes the entity, whose value shows the other one, or the other one.
    async fn write(self: &Arc<Self>, case: &Case, entity: usize, dice: &mut Dice) {
        let write = match entity {
            0 => case.write(),
            _ => Write::new(vec![case.name.depends_on[0].clone()], Vec::new()),
        };
        // Some holds expire before the end of their write.
        let expiry = [Duration::from_millis(1), LONG][dice.throw(4).min(1)];
        // As with `required`, a write whose hold is not confirmed is refused.
        let Ok(held) = case.port().hold(&write, expiry).await else { return self.count(FAILURES, true) };
        Self::wait(dice).await;
        let seen = self.database.lock().unwrap()[1];
        Self::wait(dice).await;
        let fails = dice.throw(4) == 0;
        let written = (!fails).then(|| {
            let mut database = self.database.lock().unwrap();
            database[entity] += 1;
            database[entity]
        });
        Self::wait(dice).await;
        let end = match written {
            None => End::Restore,
            Some(version) if entity == 0 && dice.throw(4) > 0 => {
                End::Put { name: case.name.clone(), entry: entry([version, seen]), ttl: LONG }
            }
            Some(_) => End::Invalidate,
        };
        let ended = case.port().end(&write, Some(&held), end).await;
        // Until it is confirmed, the hold has to do for it.
        let is_safe = ended.is_ok() || expiry == LONG;
        match ended {
            Ok(ended) => {
                self.count(PUTS, ended == Ended::Put);
                self.count(RESTORES, ended == Ended::Restored);
            }
            // The background repeats it.
            Err(_) => {
                self.count(FAILURES, true);
                let (this, case) = (Arc::clone(self), case.through(case.cache.clone()));
                tokio::spawn(async move {
                    let end = || case.port().end(&write, Some(&held), End::Invalidate);
                    until(|| async { end().await.is_ok() }).await;
                    drop(this);
                });
            }
        }
        if let Some(version) = written.filter(|_| is_safe) {
            let mut acknowledged = self.acknowledged.lock().unwrap();
            acknowledged[entity] = acknowledged[entity].max(version);
        }
    }

    async fn read(&self, case: &Case, dice: &mut Dice) {
        let floor = *self.acknowledged.lock().unwrap();
        match case.port().hit(&case.name).await {
            Ok(Some(hit)) => return self.is_new(&hit, floor),
            Ok(None) => {}
            Err(_) => return self.count(FAILURES, true),
        }
        let seen = match case.port().look_up(&case.name, LONG, Some(LONG), None).await {
            Ok(LookUp::Hit(hit)) => return self.is_new(&hit, floor),
            Ok(LookUp::Missed(seen)) => seen,
            Err(_) => return self.count(FAILURES, true),
        };
        // A load is no snapshot of both.
        let first = self.database.lock().unwrap()[0];
        Self::wait(dice).await;
        let second = self.database.lock().unwrap()[1];
        Self::wait(dice).await;
        match case.port().fill(&case.name, &seen, entry([first, second]), LONG).await {
            Ok(is_stored) => self.count(FILLS, is_stored),
            Err(_) => self.count(FAILURES, true),
        }
    }

    fn is_new(&self, hit: &Hit, floor: Versions) {
        let value: Versions = hit.entry.value.decode().unwrap();
        assert!(
            value[0] >= floor[0] && value[1] >= floor[1],
            "hit {value:?} after {floor:?} was acknowledged"
        );
        self.count(HITS, true);
    }

    /// The server forgets an entry or a mark.
    async fn evict(&self, case: &Case, dice: &mut Dice) {
        let keys = [&case.name.entity, &case.name.depends_on[0], &case.name.entity.of_pattern()];
        let marks = keys.map(|key| format!("{}/mark", name(key)));
        let name = match dice.throw(6) {
            mark @ 0..3 => &marks[mark],
            _ => &case.entry_name(),
        };
        let () = case.redis.raw(&[b"DEL", name.as_bytes()]).await;
    }
}

fn entry(value: Versions) -> CacheEntry {
    CacheEntry::new(Payload::of(&value).unwrap(), Timestamp::UNIX_EPOCH, None)
}

#[test(requires(Redis), flavor = "multi_thread", worker_threads = 2)]
async fn random_schedules_of_reads_writes_and_faults_hit_no_stale_value() {
    let counts: [u64; 5] = run_in_batches(BATCHES, AT_ONCE, run).await;
    assert!(counts.iter().all(|&count| count > 30), "{counts:?}: too few to say anything");
}

async fn run(number: u64) -> [u64; 5] {
    let direct = Case::new().await;
    let proxies = [Proxy::to(direct.redis.address).await, Proxy::to(direct.redis.address).await];
    // Most have links that do not fail, since a write that cannot end keeps the others from storing.
    let mut cases = Vec::new();
    for _ in 0..6 {
        cases.push(direct.elsewhere().await);
    }
    for proxy in &proxies {
        let cache = Cache::connect(&url(proxy.address())).await.unwrap();
        cases.push(direct.through(cache.timeout(Duration::from_millis(20))));
    }
    let schedule = Arc::new(Schedule {
        cases,
        database: Mutex::default(),
        acknowledged: Mutex::default(),
        counts: Default::default(),
    });
    make_all_calls(&schedule, number, &proxies).await;
    // All ends that failed are repeated.
    until(|| async { Arc::strong_count(&schedule) == 1 }).await;
    let database = *schedule.database.lock().unwrap();
    if let Some(hit) = direct.found().await {
        assert_eq!(hit.entry.value.decode::<Versions>().unwrap(), database, "schedule {number}");
    }
    direct.clean().await;
    schedule.counts.each_ref().map(|count| count.load(Ordering::SeqCst))
}

//! Leases on loads, for caches that several processes share.

use graceful::backends::{Cache, EntryName, Lease, LookUp, Mark, Seen};
use tokio::time::sleep;

use super::{Case, LONG, SHORT, entry};

pub(super) async fn all<C: Cache>(fresh: &impl AsyncFn() -> C) {
    let case = Case::of(fresh).await;
    let Lease::Taken(_) = case.leased().await.lease else {
        assert!(case.port().is_immediate(), "several processes can share the cache, so it has leases");
        return;
    };
    lease_is_taken_by_one_reader(Case::of(fresh).await).await;
    fill_releases_its_lease_in_any_case(Case::of(fresh).await).await;
    held_entry_has_no_lease(Case::of(fresh).await).await;
    reader_who_saw_other_marks_is_not_told_to_wait(Case::of(fresh).await).await;
    lease_is_extended_and_released_by_its_token_alone(Case::of(fresh).await).await;
    lease_expires(Case::of(fresh).await).await;
    old_entry_is_refreshed_by_the_reader_with_the_lease(Case::of(fresh).await).await;
    variants_have_leases_of_their_own(Case::of(fresh).await).await;
}

impl<C: Cache> Case<C> {
    async fn leased_of(&self, name: &EntryName) -> Seen {
        match self.done(self.port().look_up(name, LONG, Some(LONG), None)).await {
            LookUp::Missed(seen) => seen,
            LookUp::Hit(hit) => panic!("it is no miss: {hit:?}"),
        }
    }

    async fn leased(&self) -> Seen {
        self.leased_of(&self.name).await
    }

    async fn taken(&self) -> (Seen, Mark) {
        let seen = self.leased().await;
        let Lease::Taken(token) = seen.lease else { panic!("it is not free: {seen:?}") };
        (seen, token)
    }

    async fn release(&self, token: Mark) {
        self.done(self.port().release(&self.name, token)).await;
    }
}

async fn lease_is_taken_by_one_reader<C: Cache>(case: Case<C>) {
    assert_eq!(case.seen().await.lease, Lease::None, "none was asked for");
    let (seen, token) = case.taken().await;
    for _ in 0..2 {
        let other = case.leased().await;
        assert_eq!(other.lease, Lease::Elsewhere);
        assert!(other.is_same(&seen));
    }
    case.release(token).await;
    let (_, next) = case.taken().await;
    assert_ne!(next, token);
}

async fn fill_releases_its_lease_in_any_case<C: Cache>(case: Case<C>) {
    let (seen, _) = case.taken().await;
    case.change(&case.write()).await;
    assert!(!case.fill(&seen, "refused").await);
    let (seen, _) = case.taken().await;
    assert!(case.done(case.port().fill(&case.name, &seen, entry("brief"), SHORT)).await);
    while case.hit().await.is_some() {
        sleep(SHORT).await;
    }
    case.taken().await;
}

async fn held_entry_has_no_lease<C: Cache>(case: Case<C>) {
    for write in [case.write(), case.write_of_other()] {
        case.hold(&write).await;
        let seen = case.leased().await;
        assert!(seen.held);
        assert_eq!(seen.lease, Lease::None);
        case.done(case.port().end(&write, None, graceful::backends::End::Invalidate)).await;
    }
    case.taken().await;
}

async fn reader_who_saw_other_marks_is_not_told_to_wait<C: Cache>(case: Case<C>) {
    let (_, token) = case.taken().await;
    case.change(&case.write_of_other()).await;
    assert_eq!(case.leased().await.lease, Lease::None);
    case.release(token).await;
    case.taken().await;
}

async fn lease_is_extended_and_released_by_its_token_alone<C: Cache>(case: Case<C>) {
    let (_, token) = case.taken().await;
    assert!(case.done(case.port().extend(&case.name, token, LONG)).await);
    let another = Mark::random();
    assert!(!case.done(case.port().extend(&case.name, another, LONG)).await);
    case.release(another).await;
    assert_eq!(case.leased().await.lease, Lease::Elsewhere);
    case.release(token).await;
    assert!(!case.done(case.port().extend(&case.name, token, LONG)).await);
    // The late release of one that is gone.
    case.taken().await;
    case.release(token).await;
    assert_eq!(case.leased().await.lease, Lease::Elsewhere);
}

async fn lease_expires<C: Cache>(case: Case<C>) {
    let (_, token) = case.taken().await;
    assert!(case.done(case.port().extend(&case.name, token, SHORT)).await);
    while case.leased().await.lease == Lease::Elsewhere {
        sleep(SHORT).await;
    }
    assert!(!case.done(case.port().extend(&case.name, token, LONG)).await);
}

async fn variants_have_leases_of_their_own<C: Cache>(case: Case<C>) {
    case.taken().await;
    let variant = case.variant("2");
    assert!(matches!(case.leased_of(&variant).await.lease, Lease::Taken(_)));
}

/// An entry that is not old enough, or that another reader refreshes, is a hit.
async fn old_entry_is_refreshed_by_the_reader_with_the_lease<C: Cache>(case: Case<C>) {
    case.load("ada").await;
    sleep(SHORT).await;
    let look_up = async |refresh| {
        let found = case.done(case.port().look_up(&case.name, LONG, Some(LONG), refresh)).await;
        match found {
            LookUp::Hit(_) => None,
            LookUp::Missed(seen) => Some(seen.lease),
        }
    };
    assert_eq!(look_up(None).await, None, "no entry is too old");
    assert_eq!(look_up(Some(LONG)).await, None, "it is not old enough");
    let Some(Lease::Taken(token)) = look_up(Some(SHORT)).await else { panic!("it is old enough") };
    assert_eq!(look_up(Some(SHORT)).await, None, "another reader refreshes it");
    case.release(token).await;
    assert!(matches!(look_up(Some(SHORT)).await, Some(Lease::Taken(_))));
}

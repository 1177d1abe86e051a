//! No exit leaves a lease.

use graceful::backends::Lease;
use graceful_redis::Cache;
use graceful_tests::{Link, Proxy, gate::until};

use super::{Case, LONG, token, url};

#[test(requires(Redis))]
async fn lease_is_gone_after_every_exit() {
    let case = Case::new().await;
    let other = case.elsewhere().await;
    for exit in ["refused", "held", "stored", "released"] {
        let seen = case.look_up(Some(LONG)).await;
        assert!(case.exists(&case.lease_name()).await);
        assert_eq!(other.look_up(Some(LONG)).await.lease, Lease::Elsewhere);
        match exit {
            "refused" => {
                let write = case.write();
                let held = case.hold(&write).await;
                case.end(&write, &held, super::End::Invalidate).await;
                assert!(!case.fill(&seen, "old").await.unwrap());
            }
            "held" => {
                let write = case.write();
                let held = case.hold(&write).await;
                assert!(!case.fill(&seen, "old").await.unwrap());
                case.end(&write, &held, super::End::Invalidate).await;
            }
            "stored" => {
                assert!(case.fill(&seen, "new").await.unwrap());
                let () = case.redis.raw(&[b"DEL", case.entry_name().as_bytes()]).await;
            }
            _ => case.port().release(&case.name, token(&seen)).await.unwrap(),
        }
        assert!(!case.exists(&case.lease_name()).await, "{exit}");
    }
    // A leader that is dropped with the reply to its fill.
    let seen = case.look_up(Some(LONG)).await;
    drop(case.fill(&seen, "new"));
    until(|| async { !case.exists(&case.lease_name()).await }).await;
    case.clean().await;
}

#[test(requires(Redis))]
async fn fill_whose_connection_is_lost_releases_its_lease() {
    let case = Case::new().await;
    let proxy = Proxy::to(case.redis.address).await;
    let case = case.through(Cache::connect(&url(proxy.address())).await.unwrap().timeout(LONG));
    let seen = case.look_up(Some(LONG)).await;
    proxy.set(Link::Reset).await;
    proxy.set(Link::Up).await;
    case.fill(&seen, "new").await.unwrap();
    assert!(!case.exists(&case.lease_name()).await);
    case.clean().await;
}

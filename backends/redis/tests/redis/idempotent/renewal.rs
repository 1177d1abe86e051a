//! Leases are renewed while the runtime in which the store was connected is blocked.

use std::{sync::mpsc, thread};

use tokio::runtime::{Builder, Runtime};

use super::*;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test(requires("redis-server"))]
fn leases_are_renewed_while_the_opening_runtime_is_blocked() {
    let opening = current_thread();
    let case = opening.block_on(Case::new());
    opening.block_on(async { assert_eq!(case.claim(&case.call).await, Claimed::New) });
    let (calls, call) = (case.calls.clone(), case.call.clone());
    let (renewed, wait) = mpsc::channel();
    opening.block_on(async move {
        let renewing = thread::spawn(move || {
            current_thread().block_on(async {
                let renewal = calls.renewal().await.unwrap();
                for leases in 2..5 {
                    assert!(renewal.renew(call.clone(), LONG * leases).await.unwrap());
                }
                assert!(!renewal.renew(again(&call), LONG).await.unwrap());
                renewed.send(()).unwrap();
            });
        });
        // The thread of this runtime does nothing else meanwhile.
        wait.recv_timeout(LONG).unwrap();
        renewing.join().unwrap();
    });
    assert!(opening.block_on(case.left()) > 180_000);
}

#[test(requires("redis-server"))]
async fn renewal_needs_all_names_and_keeps_an_answer() {
    let case = Case::new().await;
    let renewal = case.calls.renewal().await.unwrap();
    let both = named(["a", "b"]);
    assert!(!renewal.renew(both.clone(), LONG).await.unwrap());
    assert_eq!(case.claim(&both).await, Claimed::New);
    assert!(renewal.renew(both.clone(), LONG).await.unwrap());
    let () = case.redis.raw(&[b"DEL", b"graceful:idempotent/b"]).await;
    assert!(!renewal.renew(both, LONG).await.unwrap());

    assert_eq!(case.claim(&case.call).await, Claimed::New);
    assert!(case.answer(&case.call, "ada").await);
    assert!(renewal.renew(case.call.clone(), LONG * 2).await.unwrap());
    assert!(case.left().await <= 60_000);
    assert_eq!(case.state().await, answered("ada"));
}

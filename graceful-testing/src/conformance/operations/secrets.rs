//! The secrets of a store.

use graceful::backends::FlowStore;

use super::of;

pub(super) async fn secret_of_a_name_is_created_once<S: FlowStore>(store: S) {
    let long = "n".repeat(3000);
    let names = ["forms", "forms\0", "", &long, &long[1..]];
    let mut secrets = Vec::new();
    for name in names {
        // All of these may be the first.
        let calls = [(); 3].map(|()| of(&store).secret(name));
        let mut created = Vec::new();
        for call in calls {
            created.push(call.await.expect("a secret is created"));
        }
        created.dedup();
        assert_eq!(created.len(), 1, "all callers get one secret");
        secrets.append(&mut created);
    }
    for (name, secret) in names.into_iter().zip(&secrets) {
        assert_eq!(secret.len(), 32);
        assert_eq!(of(&store).secret(name).await.expect("a secret is read"), *secret);
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), names.len(), "each name has a secret of its own");
}

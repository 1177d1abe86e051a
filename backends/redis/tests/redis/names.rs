//! Different keys have different names, and no character of them is special to the server, for every string.

use std::collections::HashMap;

use graceful::{
    Key,
    backends::{Cache as _, KeySpace},
};
use proptest::prelude::*;

use super::{Redis, entry};

/// Any text, more often one of those by which a part could be taken for two, or two for one.
pub fn part() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "",
        ":",
        "%",
        "%3A",
        ".",
        "*",
        ">",
        " ",
        "\0",
        "\n",
        "\r\n",
        "_",
        "-",
        "~",
        "a",
        "b",
        "A",
        "é",
        "😀",
        "last_good",
        "[a]",
        "?",
        "\u{202e}",
        "\\",
        "\"",
        "{a}",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(tricky, 0..4).prop_map(|parts| parts.concat())]
}

pub fn key() -> impl Strategy<Value = Key> {
    let space = prop::sample::select(vec![KeySpace::Entity, KeySpace::LastGood]);
    (part(), part(), part(), part(), space).prop_map(|(service, tenant, pattern, id, space)| {
        Key::new(service, Some(&tenant), pattern, id).in_space(space)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(graceful_tests::soak::cases(4_000)))]

    #[test]
    fn names_are_injective_and_safe(a in key(), b in key()) {
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
        let safe = |c: char| c.is_ascii_alphanumeric() || "_-%:".contains(c);
        prop_assert!(a.to_string().chars().all(safe), "{}", a);
    }
}

/// Each key holds its own value on the server, and no other key's.
#[test(requires(Redis))]
async fn every_key_on_the_server_holds_its_own_value() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    let redis = Redis::connect().await;
    let (cache, mut runner) = (redis.cache().await, TestRunner::default());
    let mut written = HashMap::new();
    for number in 0..500 {
        let key = key().new_tree(&mut runner).unwrap().current();
        let key =
            Key::new(&*redis.service, Some(key.tenant()), key.pattern(), key.id()).in_space(key.space());
        cache.put(&key, entry(&number.to_string(), None), None).await.unwrap();
        written.insert(key, number.to_string());
    }
    for (key, number) in &written {
        let found = cache.get(key).await.unwrap().unwrap();
        assert_eq!(&found.value.decode::<String>().unwrap(), number, "{key:?}");
    }
    redis.clean().await;
}

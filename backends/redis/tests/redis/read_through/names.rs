//! Each entry has its own value and each entity its own mark, whatever they are called.

use std::collections::HashMap;

use graceful::{
    Key,
    backends::{Cache as _, EntryName, Write},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

use super::{Case, LONG, Redis, entry};
use crate::names::{key, part};

#[test(requires(Redis))]
async fn hostile_names_are_not_confused() {
    let case = Case::on(Redis::connect().await).await;
    let (service, mut runner) = (case.redis.service.clone(), TestRunner::default());
    let mut written: Vec<(EntryName, String)> = Vec::new();
    for number in 0..400 {
        let (key, variant) = (key(), part()).new_tree(&mut runner).unwrap().current();
        let entity = Key::new(&*service, Some(key.tenant()), key.pattern(), key.id()).in_space(key.space());
        let name = EntryName::new(entity, variant.into(), Vec::new());
        if written.iter().any(|(other, _)| *other == name) {
            continue;
        }
        // An entry without marks beside each.
        case.cache.put(&name.entity, entry("unheld", None), Some(LONG)).await.unwrap();
        let seen = match case.port().look_up(&name, LONG, None, None).await.unwrap() {
            super::LookUp::Missed(seen) => seen,
            super::LookUp::Hit(hit) => panic!("{name:?} is another's: {hit:?}"),
        };
        let value = number.to_string();
        assert!(case.port().fill(&name, &seen, entry(&value, None), LONG).await.unwrap());
        written.push((name, value));
    }
    let value_of = async |name: &EntryName| {
        let hit = case.port().hit(name).await.unwrap()?;
        Some(hit.entry.value.decode::<String>().unwrap())
    };
    for (name, value) in &written {
        assert_eq!(value_of(name).await.as_ref(), Some(value), "{name:?}");
    }
    // A write misses the entries of its entity and no others.
    let mut is_changed: HashMap<&Key, bool> = HashMap::new();
    for (index, (name, _)) in written.iter().enumerate() {
        is_changed.entry(&name.entity).or_insert(index % 2 == 0);
    }
    for (entity, _) in is_changed.iter().filter(|(_, is_changed)| **is_changed) {
        let write = Write::new(vec![(*entity).clone()], Vec::new());
        case.port().end(&write, None, super::End::Invalidate).await.unwrap();
    }
    for (name, value) in &written {
        let expected = (!is_changed[&name.entity]).then_some(value);
        assert_eq!(value_of(name).await.as_ref(), expected, "{name:?}");
    }
    case.clean().await;
}

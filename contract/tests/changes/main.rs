//! Changes of a service, each as the modules `old` and `new`: which of them the check reports.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    reason = "handlers and types that are described, and never used"
)]

mod breaking;
mod compatible;

use std::{
    fs,
    path::{Path, PathBuf},
};

use graceful::catalogue::Catalogue;
use graceful_contract::{Difference, LockError, Report, accept, check};

/// Each change as two modules, and the paths of all, each with the incompatible facts that are expected, and where each is reported: at the
/// handler that states it, or at its line of the lock.
macro_rules! changes {
    ($($name:ident $([$($place:ident $fact:literal),+])? { $($old:tt)* } => { $($new:tt)* })*) => {
        $(pub(crate) mod $name {
            pub(crate) mod old {
                use crate::prelude::*;
                $($old)*
            }
            pub(crate) mod new {
                use crate::prelude::*;
                $($new)*
            }
        })*

        pub(crate) const CHANGES: &[crate::Change] =
            &[$((concat!(module_path!(), "::", stringify!($name)), &[$($((stringify!($place), $fact)),+)?])),*];
    };
}
pub(crate) use changes;

/// The path of the module of a change, and its expected facts.
pub(crate) type Change = (&'static str, &'static [(&'static str, &'static str)]);

/// An event with this payload; the item is named `Out`.
macro_rules! emits {
    ($($item:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $($item)*

        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Out, Code> {
            pending().await
        }
    };
}
pub(crate) use emits;

/// A reader of this value; the item is named `Out`.
macro_rules! stores {
    ($($item:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $($item)*

        #[orchestrate(pattern = "user", cache(key = 1, read, unwritten), name = "users::get")]
        async fn get() -> Result<Out, Code> {
            pending().await
        }
    };
}
pub(crate) use stores;

/// A durable handler whose hook gets this value from a relay; the item is named `Out`.
macro_rules! stores_for_a_hook {
    ($($item:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $($item)*

        async fn hook(_: &Success<'_, Out>) -> Result<(), StepError> {
            Ok(())
        }

        #[orchestrate(pattern = "user", id = 1, delivery = "durable", audit(ok = hook), name = "users::update")]
        async fn update() -> Result<Out, Code> {
            pending().await
        }
    };
}
pub(crate) use stores_for_a_hook;

/// A subscriber to the event of `emits!`; the item is named `In`.
macro_rules! receives {
    ($($item:tt)*) => {
        #[derive(Deserialize, JsonSchema)]
        $($item)*

        #[subscribe(event = "user_updated", pattern = "user", name = "users::mail")]
        async fn mail(event: EventData<In>) -> Result<(), Code> {
            drop(event);
            pending().await
        }
    };
}
pub(crate) use receives;

/// The event with a value of the type `Plain`.
macro_rules! emits_plain {
    () => {
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Plain, Code> {
            pending().await
        }
    };
}
pub(crate) use emits_plain;

/// A handler without an event.
macro_rules! emits_nothing {
    () => {
        #[orchestrate(pattern = "user", id = 1, name = "users::other")]
        async fn other() -> Result<(), Code> {
            pending().await
        }
    };
}
pub(crate) use emits_nothing;

pub(crate) mod prelude {
    pub(crate) use std::{
        borrow::Cow,
        collections::{BTreeMap, HashMap},
        future::pending,
        sync::Arc,
    };

    pub(crate) use graceful::{Classify, Code, EventData, StepError, Success, orchestrate, subscribe};
    pub(crate) use schemars::JsonSchema;
    pub(crate) use serde::{Deserialize, Serialize};

    pub(crate) use crate::{emits, emits_nothing, emits_plain, receives, stores, stores_for_a_hook};

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Plain {
        id: u32,
    }
}

/// The catalogue of one module.
fn catalogue(module: &str) -> Catalogue {
    let listed = Catalogue::of_program().filtered(|handler| handler.module == module);
    assert!(module.contains("::new") || !listed.handlers().is_empty(), "{module} has no handler");
    listed
}

/// Locks the old version, and checks the new one. The lock is kept in the directory.
fn checked(change: &str, directory: &tempfile::TempDir) -> Report {
    let lock: PathBuf = directory.path().join("graceful.lock");
    let old = catalogue(&format!("{change}::old"));
    accept(&old, &lock, None).unwrap();
    let own = check(&old, &lock).unwrap();
    assert!(own.is_clean(), "{change}: {own}");
    check(&catalogue(&format!("{change}::new")), &lock).unwrap()
}

/// `handler` if the place is a handler of the new version, and `lock` if it is the line of the lock that has the fact.
fn place(change: &str, difference: &Difference, directory: &tempfile::TempDir) -> &'static str {
    let (file, line) = difference.place();
    let new = catalogue(&format!("{change}::new"));
    if new.handlers().iter().any(|handler| (Path::new(handler.file), handler.line) == (file, line)) {
        return "handler";
    }
    assert_eq!(file, directory.path().join("graceful.lock"), "{difference}");
    let text = fs::read_to_string(file).unwrap();
    let locked = text.lines().nth(line as usize - 1).unwrap();
    assert_eq!(locked.split(": ").next(), Some(difference.fact()), "{difference}");
    "lock"
}

#[test]
fn breaking_changes_are_reported_with_their_fact_and_place_and_nothing_else_is() {
    let changes = breaking::CHANGES.concat();
    assert!(changes.len() >= 40, "{}", changes.len());
    let mut wrong = Vec::new();
    for (change, expected) in changes {
        let directory = tempfile::tempdir().unwrap();
        let report = checked(change, &directory);
        println!("{change}\n{report}\n");
        let found: Vec<_> =
            report.incompatible().map(|found| (place(change, found, &directory), found.fact())).collect();
        if expected.is_empty() || found != expected {
            wrong.push(format!("{change}: expected {expected:?}, found {found:?}"));
        }
        for difference in report.incompatible().map(ToString::to_string) {
            let has_hint = difference.contains("; to accept it: `graceful-cli accept '");
            assert!(has_hint || difference.contains("`was` names"), "{difference}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn compatible_changes_are_no_errors() {
    let changes = compatible::CHANGES.concat();
    assert!(changes.len() >= 40, "{}", changes.len());
    let alarms: Vec<_> = changes
        .into_iter()
        .map(|(change, _)| (change, checked(change, &tempfile::tempdir().unwrap())))
        .filter(|(_, report)| report.incompatible().count() > 0)
        .map(|(change, report)| format!("{change}\n{report}"))
        .collect();
    assert!(alarms.is_empty(), "{}", alarms.join("\n\n"));
}

/// What is accepted is not reported again, and nothing else is accepted with it.
#[test]
fn accepted_fact_is_not_reported_again() {
    let changes = breaking::CHANGES.concat().into_iter().map(|(change, _)| change);
    for change in changes.filter(|change| !change.contains("::was_")) {
        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("graceful.lock");
        accept(&catalogue(&format!("{change}::old")), &lock, None).unwrap();
        let new = catalogue(&format!("{change}::new"));
        accept(&new, &lock, None).unwrap_err();
        let mut left = check(&new, &lock).unwrap().incompatible().count();
        while left > 0 {
            let fact = check(&new, &lock).unwrap().incompatible().next().unwrap().fact().to_owned();
            accept(&new, &lock, Some(&fact)).unwrap();
            let now = check(&new, &lock).unwrap();
            assert!(now.incompatible().count() < left, "{change}: {fact}: {now}");
            left = now.incompatible().count();
        }
        accept(&new, &lock, None).unwrap();
        assert!(check(&new, &lock).unwrap().is_clean());
    }
}

#[test]
fn wrong_was_is_refused_by_accept_and_the_nearest_name_is_suggested() {
    for (name, expected) in [
        ("was_is_misspelt", "which the lock does not know: did you mean `users::update`?"),
        ("was_names_a_living_handler", "which is the handler at "),
        ("was_names_the_former_identity_of_two", "as that of `users::"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("graceful.lock");
        accept(&catalogue(&format!("changes::breaking::handlers::{name}::old")), &lock, None).unwrap();
        let before = fs::read_to_string(&lock).unwrap();
        let new = catalogue(&format!("changes::breaking::handlers::{name}::new"));
        for fact in ["handler users::change", "handler"] {
            let error = accept(&new, &lock, Some(fact)).unwrap_err();
            assert!(
                matches!(error, LockError::Program(_)) && error.to_string().contains(expected),
                "{name}: {error}"
            );
        }
        assert!(matches!(accept(&new, &lock, None), Err(LockError::Incompatible(_))));
        assert_eq!(fs::read_to_string(&lock).unwrap(), before);
        // Without a lock, only what it alone knows is not found.
        fs::remove_file(&lock).unwrap();
        assert_eq!(accept(&new, &lock, None).is_ok(), name == "was_is_misspelt");
    }
}

#[test]
fn breaking_change_names_the_subscriber_that_cannot_read_it() {
    let change = "changes::breaking::subscribers::producer_breaks_a_known_subscriber";
    let report = checked(change, &tempfile::tempdir().unwrap());
    let text = report.to_string();
    assert!(
        text.contains("the subscriber `users::mail` at contract/tests/changes/breaking/subscribers.rs:"),
        "{text}"
    );
    assert_eq!(text.matches("the subscriber").count(), 1, "{text}");
}

#[test]
fn subscriber_that_is_gone_is_named() {
    let change = "changes::breaking::subscribers::subscriber_gone";
    let report = checked(change, &tempfile::tempdir().unwrap()).to_string();
    assert!(report.contains("the subscriber `users::mail` is gone, and what is stored for it"), "{report}");
    let change = "changes::breaking::handlers::durable_handler_gone";
    let report = checked(change, &tempfile::tempdir().unwrap()).to_string();
    assert!(report.contains("the durable handler `users::update` is gone"), "{report}");
}

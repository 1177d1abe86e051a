//! The catalogue lists each handler of the program as its declaration says it.
#![allow(dead_code, reason = "handlers are listed whether they are called or not")]

use graceful::{
    Code, Flow, Orchestrator, Step, StepError,
    backends::memory,
    catalogue::{Catalogue, CataloguedHandler},
    orchestrate,
};

async fn hook(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

const LINE: u32 = line!() + 2;

#[orchestrate(pattern = "user", cache = id, event, audit = hook, nexus = off, alert(required))]
async fn writer(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "catalogue_page", cache(key = id, read, unwritten))]
async fn reader(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", id = 42)]
fn sync() -> Result<(), Code> {
    Ok(())
}

#[orchestrate(pattern = "user", cache = 42, fallback = last_good)]
fn sync_with_a_key() -> Result<u64, Code> {
    Ok(42)
}

#[orchestrate(pattern = "user", name = "users::greet", delivery = "durable")]
async fn durable() -> Result<(), Code> {
    Ok(())
}

struct Users;

impl Users {
    #[orchestrate(pattern = "user", delivery = "durable")]
    async fn durable_method(&self) -> Result<(), Code> {
        Ok(())
    }

    #[orchestrate(pattern = "user")]
    async fn r#type(&self) -> Result<(), Code> {
        Ok(())
    }
}

trait Named {
    const PATTERN: &str;
}

struct Generic<T>(T);

impl<T: Named> Generic<T> {
    #[orchestrate(pattern = T::PATTERN)]
    async fn generic(&self) -> Result<(), Code> {
        Ok(())
    }
}

mod hidden {
    use super::*;

    #[orchestrate(pattern = "user", catalogue = off, delivery = "durable")]
    pub(super) async fn durable() -> Result<(), Code> {
        Ok(())
    }

    struct Block;

    #[orchestrate(pattern = "user", catalogue = off)]
    impl Block {
        #[orchestrate(id = 42)]
        fn method() -> Result<(), Code> {
            Ok(())
        }
    }
}

/// The handlers of this file.
fn listed() -> Vec<CataloguedHandler> {
    let catalogue = Catalogue::of_program();
    catalogue.handlers().iter().filter(|handler| handler.file == file!()).cloned().collect()
}

#[track_caller]
fn of(name: &str) -> CataloguedHandler {
    listed().into_iter().find(|handler| handler.name == name).unwrap()
}

#[test]
fn handlers_are_listed_by_identity() {
    let identities: Vec<_> = listed().into_iter().map(|handler| handler.identity).collect();
    let here = module_path!();
    let expected = [
        "Generic::generic",
        "Users::durable_method",
        "Users::type",
        "reader",
        "sync",
        "sync_with_a_key",
        "writer",
    ];
    let expected: Vec<_> = expected.iter().map(|name| format!("{here}::{name}")).collect();
    assert_eq!(identities[..identities.len() - 1], expected);
    assert_eq!(identities.last().unwrap(), "users::greet");
    assert!(Catalogue::of_program().handlers().is_sorted_by(|a, b| a.identity <= b.identity));
}

#[test]
fn handler_is_listed_with_its_place_and_its_steps() {
    let writer = of("writer");
    assert_eq!((writer.line, writer.pattern), (LINE, "user"));
    let declared = [Step::Cache, Step::Event, Step::Alert];
    assert_eq!(writer.declared, declared, "neither the hooked step nor the one that is off");
    assert_eq!(writer.required, [Step::Alert]);
    assert!(!writer.reads && of("reader").reads);
    assert_eq!(of("sync_with_a_key").required, [Step::Fallback]);
}

#[test]
fn sync_and_durable_handlers_are_listed_as_such() {
    for (name, is_sync, is_durable) in [
        ("sync", true, false),
        ("sync_with_a_key", true, false),
        ("durable", false, true),
        ("durable_method", false, true),
        ("type", false, false),
    ] {
        let handler = of(name);
        assert_eq!((handler.is_sync, handler.is_durable), (is_sync, is_durable), "{name}");
        assert!(!handler.reads, "{name}");
    }
}

#[test]
fn pattern_that_only_a_call_knows_is_empty() {
    assert_eq!(of("generic").pattern, "");
}

#[tokio::test]
async fn name_in_the_catalogue_is_that_of_the_flow() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let orchestrator = Orchestrator::builder()
        .in_memory()
        .on_report(move |report| sender.send(report.flow().handler().to_owned()).unwrap())
        .build()
        .unwrap();
    orchestrator.scope(Users.r#type()).await.unwrap();
    assert_eq!(seen.recv().await.unwrap(), of("type").name);
}

#[tokio::test]
async fn hidden_handler_is_not_listed_and_a_relay_and_the_check_at_start_know_it() {
    assert!(listed().iter().all(|handler| !handler.identity.contains("hidden")), "{:?}", listed());
    let path = concat!(module_path!(), "::hidden::durable");
    let error = Orchestrator::builder().in_memory().handlers(path).build().unwrap_err().to_string();
    assert!(error.contains("`durable`") && error.contains("is durable"), "{error}");

    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let orchestrator = Orchestrator::builder()
        .in_memory()
        .flows(memory::Flows::new())
        .on_report(move |report| sender.send(report.clone()).unwrap())
        .build()
        .unwrap();
    orchestrator.scope(hidden::durable()).await.unwrap();
    let report = graceful_tests::gate::awaited(seen.recv()).await.unwrap();
    assert!(report.step(Step::Audit).is_done(), "{report}");
}

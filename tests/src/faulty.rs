//! A backend at fault: all eight at once.

use std::{future::pending, sync::Arc, time::Duration};

use graceful::{
    Event, Flow, Incident, Key, Metadata, Severity, StepError,
    backends::{
        Activity, Alert, AlertChange, Alerter, AuditCursor, AuditLog, AuditQuery, AuditRecord, Cache,
        CacheEntry, CacheWrite, Edge, EventEmitter, IncidentCursor, IncidentFilter, Job, JobChange,
        KnowledgeGraph, MetadataStore, Nexus, Node, Page, PatternTrace, PatternUse, Reply, Scheduler,
        Timestamp, Uuid,
    },
};

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Fails,
    FailsLater,
    Panics,
    PanicsLater,
    Hangs,
}

/// A backend that never does what it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Faulty(pub Fault);

impl Faulty {
    fn reply<T: Send + 'static>(self) -> Reply<T> {
        match self.0 {
            Fault::Fails => Reply::failed(StepError::new("the backend failed")),
            Fault::FailsLater => Reply::pending(async {
                tokio::task::yield_now().await;
                Err(StepError::new("the backend failed"))
            }),
            Fault::Panics => panic!("the backend panicked"),
            Fault::PanicsLater => Reply::pending(async {
                tokio::task::yield_now().await;
                panic!("the backend panicked")
            }),
            Fault::Hangs => Reply::pending(pending()),
        }
    }
}

macro_rules! faulty {
    ($($backend:ident { $($method:ident($($argument:ty),*) -> $answer:ty;)* })*) => {$(
        impl $backend for Faulty {
            $(faulty!(@ $method($($argument),*) -> $answer);)*
        }
    )*};
    (@ $method:ident() -> $answer:ty) => {
        fn $method(&self) -> Reply<$answer> {
            self.reply()
        }
    };
    (@ $method:ident($a:ty) -> $answer:ty) => {
        fn $method(&self, _: $a) -> Reply<$answer> {
            self.reply()
        }
    };
    (@ $method:ident($a:ty, $b:ty) -> $answer:ty) => {
        fn $method(&self, _: $a, _: $b) -> Reply<$answer> {
            self.reply()
        }
    };
    (@ $method:ident($a:ty, $b:ty, $c:ty) -> $answer:ty) => {
        fn $method(&self, _: $a, _: $b, _: $c) -> Reply<$answer> {
            self.reply()
        }
    };
}

faulty! {
    Cache {
        get(&Key) -> Option<CacheEntry>;
        put(&Key, CacheEntry, Option<Duration>) -> CacheWrite;
        invalidate(&Key, Option<i64>, Duration) -> CacheWrite;
    }
    MetadataStore {
        record(&Arc<Flow>) -> Arc<Metadata>;
        latest(&Key) -> Option<Arc<Metadata>>;
        state(Uuid) -> Option<Arc<Metadata>>;
    }
    KnowledgeGraph {
        record(&Arc<Flow>) -> ();
        neighbours(&Node) -> Vec<Edge>;
        history(&Key, usize) -> Vec<Activity>;
        failures(&str, Timestamp) -> Vec<Activity>;
    }
    Scheduler {
        open(&Arc<Flow>, Duration) -> JobChange;
        complete(&Incident) -> JobChange;
        jobs(IncidentFilter, Option<IncidentCursor>, usize) -> Page<Job, IncidentCursor>;
        poll(usize, Duration) -> Vec<Job>;
        finish(&Job) -> bool;
        postpone(&Job, Option<Duration>, &str) -> bool;
        reschedule(&Incident, Duration) -> bool;
    }
    EventEmitter {
        emit(Event) -> ();
    }
    Nexus {
        register(&Arc<Flow>) -> ();
        patterns(Option<&str>, usize) -> Vec<PatternUse>;
        trace(&Key) -> Vec<PatternTrace>;
    }
    AuditLog {
        append(&Arc<Flow>) -> ();
        query(AuditQuery) -> Page<AuditRecord, AuditCursor>;
    }
    Alerter {
        fire(&Arc<Flow>, Severity) -> AlertChange;
        resolve(&Arc<Flow>) -> AlertChange;
        close(&Incident) -> AlertChange;
        open(IncidentFilter, Option<IncidentCursor>, usize) -> Page<Alert, IncidentCursor>;
        resolved(usize) -> Vec<Alert>;
    }
}

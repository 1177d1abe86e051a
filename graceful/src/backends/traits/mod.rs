//! The traits of the backends, each with its data types.

mod alerts;
mod audit;
mod cache;
mod events;
mod flows;
mod graph;
mod incidents;
mod lanes;
mod metadata;
mod nexus;
mod read_through;
mod scheduler;

pub use self::{
    alerts::{Alert, AlertChange, Alerter},
    audit::{AuditLog, AuditRecord},
    cache::{Cache, CacheEntry, CacheWrite},
    events::{Destination, EventEmitter},
    flows::{
        ActionResult, AttemptFailure, AttemptOutcome, Claim, ClaimId, Count, CursorError, FailedAttempt,
        FailureCause, FailureGroup, FailureGroups, FilterError, FlowCursor, FlowFilter, FlowQuery, FlowState,
        FlowStore, FlowSummary, GroupId, Lag, Moment, Page, ParseGroupError, ParseStateError, QueuedFlow,
        StoredFlow,
    },
    graph::{Activity, Edge, KnowledgeGraph, Node, Rows, Term},
    incidents::{IncidentCursor, STORM_LIMIT},
    lanes::{Lane, Room, Share},
    metadata::MetadataStore,
    nexus::{Nexus, PatternTrace, PatternUse},
    read_through::{End, Ended, Hit, LookUp, ReadThrough},
    scheduler::{Job, JobChange, Scheduler},
};

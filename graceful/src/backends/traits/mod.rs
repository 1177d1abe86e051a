//! The traits of the backends, each with its data types.

mod alerts;
mod audit;
mod cache;
mod event_log;
mod event_source;
mod events;
mod flows;
mod graph;
mod idempotency;
mod incidents;
mod lanes;
mod metadata;
mod nexus;
mod operations;
mod query;
mod read_through;
mod scheduler;
mod subscriptions;

pub use self::{
    alerts::{Alert, AlertChange, Alerter},
    audit::{AuditCursor, AuditFilter, AuditLog, AuditQuery, AuditRecord, RecordCheck},
    cache::{Cache, CacheEntry, CacheWrite},
    event_log::{EventLog, LogEntry, LogPage, LogQuery, LogSpan, LoggedEvent, NewestPosition, entity_hash},
    event_source::{EventFuture, EventReading, EventSource, Selection},
    events::{Destination, EventEmitter},
    flows::{
        Action, ActionResult, AttemptFailure, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt,
        FailureCause, FailureGroup, FailureGroups, FlowCursor, FlowFilter, FlowQuery, FlowState, FlowStore,
        FlowSummary, FlowVersion, GroupId, Lag, LiveRelay, ParseGroupError, ParseStateError,
        ParseVersionError, QueuedFlow, RelayInfo, StoredFlow,
    },
    graph::{Activity, Edge, KnowledgeGraph, Node, Rows, Term},
    idempotency::{CallState, Claimed, Idempotency, KnownCall, LeaseRenewal},
    incidents::{IncidentCursor, IncidentFilter, STORM_LIMIT},
    lanes::{Lane, Room, Share},
    metadata::MetadataStore,
    nexus::{Nexus, PatternTrace, PatternUse},
    operations::{
        ItemState, NewOperation, Operation, OperationClaim, OperationItem, OperationState, Operations, Pause,
        PauseTarget, SelectedFlow,
    },
    query::{Cursor, CursorError, FilterError, Moment, Page, Query},
    read_through::{End, Ended, Hit, LookUp, ReadThrough},
    scheduler::{Job, JobChange, Scheduler},
    subscriptions::{
        HeldPartition, InboxTransaction, Join, Joined, NewEvent, NewSubscriber, PARTITIONS, ParkedEvent,
        Progress, ReaderId, Resubmitted, SubscriberState, Subscriptions,
    },
};

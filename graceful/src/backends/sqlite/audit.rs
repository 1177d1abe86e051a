//! The audit log, as a chain: each record holds the hash of the one before, so that what is edited, deleted or moved shows.

use std::{fmt, sync::Arc};

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Store, broken, count};
use crate::{
    Flow, Key, StepError,
    backends::{AuditLog, Reply},
};

/// Where the chain of an audit log ends. Kept elsewhere, it shows that the end was not cut off, and that the whole was not
/// written anew.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("graceful-head-{}.db", std::process::id()));
/// let store = graceful::backends::sqlite::Store::open(&path).await?;
/// let head = store.verify(None).await?;
/// assert_eq!((head.sequence, head.to_string().len()), (0, 66));
/// assert_eq!(store.verify(Some(&head)).await?, head);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the last record, the first being 1; 0 where there is none.
    pub sequence: i64,
    /// Its hash, SHA-256.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// Of an empty log.
    const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };

    /// The head when one more record is there. What has several parts is hashed with their lengths, so that nothing can move
    /// from one to another.
    fn next(&self, flow: &[u8], entity: &str, record: &str) -> Self {
        let sequence = self.sequence + 1;
        let mut hash = Hash::new();
        hash.update(self.hash);
        hash.update(sequence.to_be_bytes());
        for part in [flow, entity.as_bytes(), record.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { sequence, hash: hash.finalize() }
    }
}

/// `sequence:hash` in hexadecimal digits.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.sequence)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The audit log is not what was written; see [`Store::verify`].
///
/// ```
/// use graceful::backends::sqlite::Tampered;
/// let tampered = Tampered { sequence: 7 };
/// assert_eq!(tampered.to_string(), "the audit log was tampered with at record 7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tampered {
    /// The first record that is not what was written there, or is missing.
    pub sequence: i64,
}

impl fmt::Display for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the audit log was tampered with at record {}", self.sequence)
    }
}

impl std::error::Error for Tampered {}

fn head(row: &SqliteRow) -> Result<AuditHead, sqlx::Error> {
    let hash: &[u8] = row.try_get("hash")?;
    Ok(AuditHead { sequence: row.try_get("seq")?, hash: hash.try_into().map_err(broken)? })
}

async fn append(connection: &mut SqliteConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let last = sqlx::query("SELECT seq, hash FROM graceful_audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let last = last.as_ref().map(head).transpose()?.unwrap_or(AuditHead::EMPTY);
    let (id, entity) = (flow.id(), flow.entity().to_string());
    let record = serde_json::to_string(flow).map_err(broken)?;
    let next = last.next(id.as_bytes(), &entity, &record);
    // A flow that is delivered again was done once.
    sqlx::query(
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (flow) DO NOTHING",
    )
    .bind(next.sequence)
    .bind(id.as_bytes().as_slice())
    .bind(&entity)
    .bind(record)
    .bind(next.hash.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many records are read at once.
const PAGE: usize = 1000;

/// Follows the chain from its beginning; where it breaks, the number of the record.
async fn follow(
    connection: &mut SqliteConnection,
    known: Option<AuditHead>,
) -> Result<Result<AuditHead, Tampered>, sqlx::Error> {
    let mut last = AuditHead::EMPTY;
    loop {
        let rows = sqlx::query("SELECT * FROM graceful_audit WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(last.sequence)
            .bind(count(PAGE))
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let next = last.next(row.try_get("flow")?, row.try_get("entity")?, row.try_get("record")?);
            if head(row).ok() != Some(next) || known.is_some_and(|known| contradicts(&known, &next)) {
                return Ok(Err(Tampered { sequence: next.sequence }));
            }
            last = next;
        }
        if rows.len() < PAGE {
            break;
        }
    }
    match known {
        Some(known) if known.sequence > last.sequence => Ok(Err(Tampered { sequence: last.sequence + 1 })),
        _ => Ok(Ok(last)),
    }
}

fn contradicts(known: &AuditHead, found: &AuditHead) -> bool {
    known.sequence == found.sequence && known.hash != found.hash
}

impl Store {
    /// Follows the audit log's chain from its first record, and answers where it ends: to be kept elsewhere, and shown the next
    /// time as `known`. With it, a log that was cut off, or written anew as a whole, shows, too.
    ///
    /// It reads the whole log: about a second for 100,000 records. Appending goes on meanwhile.
    ///
    /// # Errors
    /// [`Tampered`], as the source of the error, where a record was edited, deleted or moved; else the log cannot be read.
    ///
    /// ```
    /// use graceful::{Code, OrchestrationConfig, Orchestrator, Success, backends::sqlite};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-verify-{}.db", std::process::id()));
    /// let store = sqlite::Store::open(&path).await?;
    /// let orchestrator = Orchestrator::builder().audit(store.clone()).build()?;
    /// let config = OrchestrationConfig::new("user").id(42).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    ///
    /// let head = store.verify(None).await?;
    /// assert_eq!(head.sequence, 1);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn verify(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        let known = known.copied();
        let followed = self.read(move |connection| Box::pin(follow(connection, known))).await?;
        followed.map_err(StepError::caused_by)
    }
}

impl AuditLog for Store {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { append(connection, &flow).await })
        })
    }

    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<Arc<Flow>>> {
        let entity = entity.map(ToString::to_string);
        self.read(move |connection| {
            Box::pin(async move {
                let query = match &entity {
                    Some(entity) => sqlx::query(
                        "SELECT record FROM graceful_audit WHERE entity = ? ORDER BY seq DESC LIMIT ?",
                    )
                    .bind(entity),
                    None => sqlx::query("SELECT record FROM graceful_audit ORDER BY seq DESC LIMIT ?"),
                };
                let rows = query.bind(count(limit)).fetch_all(connection).await?;
                let records = rows
                    .iter()
                    .map(|row| serde_json::from_str(row.try_get("record")?).map(Arc::new).map_err(broken));
                records.collect()
            })
        })
    }
}

//! An audit log as earlier versions wrote it: each record is the whole flow. The payloads can be removed from it.

use graceful::{
    __private010::Sample,
    Code, Context, Key, OrchestrationConfig, StepError, Success,
    backends::{AuditFilter, AuditLog, AuditQuery, AuditRecord, Timestamp, Uuid},
};
use graceful_sql::AuditHead;
use sha2::{Digest as _, Sha256};

/// A row of the table `graceful_audit`.
#[derive(Debug)]
pub struct OldRecord {
    pub head: AuditHead,
    pub flow: Uuid,
    pub entity: String,
    pub text: String,
}

/// A store, and the table that it has its audit log in.
#[allow(async_fn_in_trait, reason = "for tests")]
pub trait AuditTable {
    type Store: AuditLog;

    fn store(&self) -> &Self::Store;
    async fn verify(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError>;
    async fn remove_payloads(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError>;
    async fn insert(&mut self, record: &OldRecord);
    /// Of all records.
    async fn texts(&mut self) -> Vec<String>;
}

/// Each with the payload `"secret {number}"`.
async fn old_audit_log(records: i64) -> Vec<OldRecord> {
    let mut log = Vec::new();
    let mut last = [0; 32];
    for sequence in 1..=records {
        let config = OrchestrationConfig::new("user").id(sequence % 2);
        let report =
            Success::wrap(Code::Ok, "said", &format!("secret {sequence}")).orchestrate(&config).await;
        let flow = report.flow();
        let (id, entity, text) =
            (flow.id(), flow.entity().to_string(), serde_json::to_string(&**flow).unwrap());
        let mut hash = Sha256::new();
        hash.update(last);
        hash.update(sequence.to_be_bytes());
        for part in [id.as_bytes().as_slice(), entity.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        last = hash.finalize().into();
        log.push(OldRecord { head: AuditHead { sequence, hash: last }, flow: id, entity, text });
    }
    log
}

async fn fill(table: &mut impl AuditTable, log: &[OldRecord]) {
    for record in log {
        table.insert(record).await;
    }
}

/// Where the payloads are removed from an old log, it keeps its records and is a chain.
pub async fn keeps_records_and_chain(mut table: impl AuditTable) {
    // More than is read at once.
    let log = old_audit_log(1_001).await;
    fill(&mut table, &log).await;
    let before = log.last().unwrap().head;
    assert_eq!(table.verify(None).await.unwrap(), before);
    let records = table.store().records(None, usize::MAX).await.unwrap();
    assert!(records.iter().all(|record| record.payload.is_none() && record.payload_sha256.is_some()));

    let after = table.remove_payloads(Some(&before)).await.unwrap();
    assert_eq!(after.sequence, 1_002);
    assert_eq!(table.verify(Some(&after)).await.unwrap(), after);
    assert!(table.verify(Some(&before)).await.is_err(), "the log was written anew");
    assert_eq!(table.texts().await.iter().filter(|text| text.contains("secret")).count(), 0);
    let now = table.store().records(None, usize::MAX).await.unwrap();
    assert_eq!(now[1..], records);
    let marker = format!("removed the payloads of 1001 records of the chain that ended at {before}");
    assert_eq!(now[0].message, marker);
    let again = table.remove_payloads(Some(&after)).await.unwrap();
    assert_eq!(again, after, "there is nothing left to remove");
}

/// The actor of the second record: its text has what JSON and PostgreSQL escape.
const ACTOR: &str = "a\0\\\0\"é";

/// Records from before the columns `at` and `actor`: a usual one, one with a strange actor, a whole flow, and two that somebody has edited.
pub fn records() -> Vec<String> {
    let record = |actor: &str, at: &str| {
        let mut record = AuditRecord::new(Key::new("users", None, "user", "1"), "update", "\0 and \\u0000");
        record.actor = Some(actor.into());
        record.at = at.parse().unwrap();
        serde_json::to_string(&record).unwrap()
    };
    let flow = Sample::new("1", Code::Ok, 3).context(Context::new().user("ada")).flow();
    let untimed = record("bob", "1970-01-01T00:00:09Z").replace("1970-01-01T00:00:09Z", "now");
    vec![
        record("ada", "1970-01-01T00:00:01.1234567Z"),
        record(ACTOR, "1970-01-01T00:00:02Z"),
        serde_json::to_string(&*flow).unwrap(),
        "junk".to_owned(),
        untimed,
    ]
}

/// All of the [`records`] are found by what can be read of them.
pub async fn are_found(log: &impl AuditLog) {
    let read = async |pairs: &[(&str, &str)]| -> Vec<i64> {
        let filter = AuditFilter::parse(pairs.iter().copied()).unwrap();
        let page = log.query(AuditQuery::new(filter, 10)).await.unwrap();
        page.items.iter().map(|record| record.at.as_microsecond()).collect()
    };
    let unknown = Timestamp::MIN.as_microsecond();
    let [first, second, third] = [1_123_456, 2_000_000, 3_000_000];
    for pairs in [&[][..], &[("entity", "e")]] {
        assert_eq!(read(pairs).await, [third, second, first, unknown, unknown], "{pairs:?}");
    }
    assert_eq!(read(&[("actor", "ada")]).await, [third, first]);
    assert_eq!(read(&[("actor", ACTOR)]).await, [second]);
    assert_eq!(read(&[("actor", "bob")]).await, [unknown], "its time is not valid");
    let exact = "1970-01-01T00:00:01.123456Z";
    assert_eq!(read(&[("since", exact)]).await, [third, second, first]);
    assert_eq!(read(&[("until", exact)]).await, [unknown, unknown]);
    // A cursor within the records of unknown time reaches the last one.
    let mut query = AuditQuery::new(AuditFilter::default(), 4);
    let cursor = log.query(query.clone()).await.unwrap().next.unwrap();
    query = query.continued(cursor).unwrap();
    let last = log.query(query).await.unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));
}

/// An old log that somebody has edited is left as it is.
pub async fn tampered_is_left_alone(mut table: impl AuditTable) {
    let mut log = old_audit_log(5).await;
    log[3].text = log[3].text.replace("said", "sang");
    fill(&mut table, &log).await;
    let before = table.texts().await;
    table.remove_payloads(None).await.unwrap_err();
    assert_eq!(table.texts().await, before);
}

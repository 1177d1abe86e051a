//! An audit log as earlier versions wrote it: each record is the whole flow.

use graceful::{Code, OrchestrationConfig, Success, backends::Uuid};
use graceful_sql::AuditHead;
use hmac_sha256::Hash;

/// A row of the table.
#[derive(Debug)]
pub struct OldRecord {
    pub head: AuditHead,
    pub flow: Uuid,
    pub entity: String,
    pub text: String,
}

/// Each with the payload `"secret {number}"`.
pub async fn old_audit_log(records: i64) -> Vec<OldRecord> {
    let mut log = Vec::new();
    let mut last = [0; 32];
    for sequence in 1..=records {
        let config = OrchestrationConfig::new("user").id(sequence % 2);
        let report =
            Success::wrap(Code::Ok, "said", &format!("secret {sequence}")).orchestrate(&config).await;
        let flow = report.flow();
        let (id, entity, text) =
            (flow.id(), flow.entity().to_string(), serde_json::to_string(&**flow).unwrap());
        let mut hash = Hash::new();
        hash.update(last);
        hash.update(sequence.to_be_bytes());
        for part in [id.as_bytes().as_slice(), entity.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        last = hash.finalize();
        log.push(OldRecord { head: AuditHead { sequence, hash: last }, flow: id, entity, text });
    }
    log
}

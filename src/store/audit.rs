//! The chain of the audit log: what makes a missing or changed record show. Pure; never stores.
//!
//! Each record's hash covers its place, the hash before it and its entry, so a change anywhere breaks
//! every record after it. Cutting off the end leaves a chain that is whole: only somebody who noted
//! the last place and hash elsewhere sees that. Start at [`seal`] and [`Chain`].

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::protocol::{AuditEntry, AuditRecord};

/// Where a chain breaks: the first record that does not fit, by its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// Records are missing or out of order.
    #[error("record {found} stands where record {expected} belongs")]
    Gap {
        /// The place that comes next.
        expected: u64,
        /// The place that the record has.
        found: u64,
    },
    /// It does not follow the record before it.
    #[error("record {seq} does not follow the record before it")]
    Unlinked {
        /// Its place.
        seq: u64,
    },
    /// Its content is not what was hashed.
    #[error("record {seq} was changed after it was written")]
    Changed {
        /// Its place.
        seq: u64,
    },
}

/// The record that keeps `entry` at place `seq` (from 1) behind the record with the hash `previous`
/// (empty for the first).
#[must_use]
pub fn seal(seq: u64, previous: &str, entry: AuditEntry) -> AuditRecord {
    let hash = digest(seq, previous, &entry);
    AuditRecord { seq, entry, previous: previous.to_owned(), hash }
}

/// A chain followed record by record, in constant memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    seq: u64,
    hash: String,
}

impl Chain {
    /// Before the first record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the records that come next.
    ///
    /// # Errors
    /// The first break; the chain then stands before that record.
    pub fn follow(&mut self, records: &[AuditRecord]) -> Result<(), Break> {
        for record in records {
            let (seq, expected) = (record.seq, self.seq.saturating_add(1));
            if seq != expected {
                return Err(Break::Gap { expected, found: seq });
            }
            if record.previous != self.hash {
                return Err(Break::Unlinked { seq });
            }
            if record.hash != digest(seq, &record.previous, &record.entry) {
                return Err(Break::Changed { seq });
            }
            self.seq = seq;
            self.hash.clone_from(&record.hash);
        }
        Ok(())
    }

    /// The place of the last record checked; 0 if there was none.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the last record checked; empty if there was none.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// SHA-256 over a JSON list of place, previous hash and the entry with its fields in alphabetical
/// order, in hex. An entry has no objects inside, so one level of sorting makes the text canonical.
fn digest(seq: u64, previous: &str, entry: &AuditEntry) -> String {
    // An entry is plain data with text keys: it always becomes a JSON object.
    let fields: BTreeMap<String, Value> = match serde_json::to_value(entry) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    let text = serde_json::json!([seq, previous]).to_string() + &serde_json::json!(fields).to_string();
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::protocol::{Act, Cost};

    fn entry(n: i64) -> AuditEntry {
        AuditEntry {
            at: Timestamp(1_760_000_000_000 + n),
            session: "slack:T1:C1:1.2".into(),
            turn: Some("turn-1".into()),
            act: Act::Approved,
            by: Some("U1".into()),
            approval: Some("a1".into()),
            call: None,
            digest: Some("ab".repeat(32)),
            tool: Some("bash".into()),
            operation: None,
            cost: Cost::AtMost(1_500_000),
            reason: None,
        }
    }

    fn chain(length: i64) -> Vec<AuditRecord> {
        let mut records: Vec<AuditRecord> = Vec::new();
        for n in 1..=length {
            let previous = records.last().map(|last| last.hash.clone()).unwrap_or_default();
            records.push(seal(n as u64, &previous, entry(n)));
        }
        records
    }

    #[test]
    fn a_whole_chain_is_followed_in_pieces_of_any_size() {
        let records = chain(20);
        for size in [1, 3, 7, 20] {
            let mut followed = Chain::new();
            for piece in records.chunks(size) {
                followed.follow(piece).unwrap();
            }
            assert_eq!((followed.seq(), followed.hash()), (20, records[19].hash.as_str()));
        }
        assert_eq!(Chain::new().follow(&[]), Ok(()));
    }

    #[test]
    fn the_first_record_that_does_not_fit_is_named() {
        type Harm = fn(&mut Vec<AuditRecord>);
        let cases: [(&str, Harm, Break); 9] = [
            ("the first is gone", |all| drop(all.remove(0)), Break::Gap { expected: 1, found: 2 }),
            ("one is gone", |all| drop(all.remove(4)), Break::Gap { expected: 5, found: 6 }),
            ("two are swapped", |all| all.swap(2, 3), Break::Gap { expected: 3, found: 4 }),
            ("one is there twice", |all| all.insert(3, all[2].clone()), Break::Gap { expected: 4, found: 3 }),
            ("who said yes is another", |all| all[5].entry.by = Some("U2".into()), Break::Changed { seq: 6 }),
            ("the cost became free", |all| all[5].entry.cost = Cost::Free, Break::Changed { seq: 6 }),
            ("a field is gone", |all| all[0].entry.turn = None, Break::Changed { seq: 1 }),
            ("the hash is another", |all| all[6].hash = "0".repeat(64), Break::Changed { seq: 7 }),
            (
                "one was changed and sealed anew",
                |all| {
                    let (seq, previous) = (all[6].seq, all[6].previous.clone());
                    all[6] = seal(seq, &previous, entry(99));
                },
                Break::Unlinked { seq: 8 },
            ),
        ];
        for (what, harm, expected) in cases {
            let mut records = chain(10);
            harm(&mut records);
            assert_eq!(Chain::new().follow(&records), Err(expected), "{what}");
        }
    }

    #[test]
    fn hashes_stay_what_they_were_when_older_records_were_written() {
        assert_eq!(
            seal(1, "", entry(1)).hash,
            "364d5ee84fb9db89b2d312cdc6053d7bf4df52e16c58153342393eb490269da1"
        );
    }
}

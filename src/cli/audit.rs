//! `audit`: the record of decisions, checked and exported. Owns how they are printed.

use clap::Subcommand;
use serde_json::json;

use super::args::Flags;
use super::exit::Exit;
use super::print_out;
use super::session;
use crate::clock::Timestamp;
use crate::config::Loaded;
use crate::protocol::AuditRecord;
use crate::store::audit::Chain;
use crate::store::{Ledger, StoreError};

/// Records read in one go.
const PAGE: u32 = 1_000;

/// What to do with the record of decisions.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Check that no record is missing or changed
    #[command(after_help = "\
Exit code 0 if the log is whole, 1 if it is broken; the first record that does not fit is named.
Cutting records off the end leaves a whole log. To notice that as well, keep the last line that this
prints somewhere else, and hand it in later with --expect.

Examples:
  ml-intern audit verify
  ml-intern audit verify --expect 1042:9f86d081884c7d65")]
    Verify {
        /// A record that must be there: its number and (the beginning of) its hash
        #[arg(long, value_name = "NUMBER:HASH", value_parser = expected)]
        expect: Option<Expected>,
    },
    /// Print the records, one JSON object per line
    #[command(after_help = "\
Examples:
  ml-intern audit export > decisions.jsonl
  ml-intern audit export --since 2026-11-01 | jq 'select(.entry.act == \"approved\")'")]
    Export {
        /// Only what was decided at or after this day (2026-11-01) or time (2026-11-01T08:00:00Z)
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<Timestamp>,
    },
}

/// A record that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    seq: u64,
    hash: String,
}

fn expected(text: &str) -> Result<Expected, String> {
    let wrong = || "write it as NUMBER:HASH, as `audit verify` prints it".to_owned();
    let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
    let seq = seq.parse().map_err(|_| wrong())?;
    if seq == 0 || hash.len() < 8 || !hash.chars().all(|letter| letter.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    Ok(Expected { seq, hash: hash.to_lowercase() })
}

/// A day begins at midnight in this machine's zone.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(time.as_millisecond()));
    }
    let day = text.parse::<jiff::civil::Date>();
    let midnight = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::system()));
    midnight
        .map(|midnight| Timestamp(midnight.timestamp().as_millisecond()))
        .map_err(|_| "write a day as 2026-11-01 or a time as 2026-11-01T08:00:00Z".to_owned())
}

/// Does one of the `audit` commands.
///
/// # Errors
/// The store cannot be used, or standard output is gone.
pub async fn run(what: AuditCommand, loaded: &Loaded, flags: &Flags) -> anyhow::Result<Exit> {
    let store = session::open(&loaded.config.data_dir()).await?;
    let outcome = match what {
        AuditCommand::Verify { expect } => match verify(store.as_ref(), expect.as_ref()).await {
            Ok(verdict) => verdict.print(flags),
            Err(error) => Err(error.into()),
        },
        AuditCommand::Export { since } => export(store.as_ref(), since).await,
    };
    store.close().await;
    outcome
}

/// What came of a check.
#[derive(Debug)]
enum Verdict {
    Whole(Chain),
    Broken(String),
}

impl Verdict {
    fn print(&self, flags: &Flags) -> anyhow::Result<Exit> {
        let (line, json, exit) = match self {
            Self::Whole(chain) if chain.seq() == 0 => (
                "The record of decisions is empty.\n".to_owned(),
                json!({ "ok": true, "records": 0 }),
                Exit::Finished,
            ),
            Self::Whole(chain) => (
                format!(
                    "The record of decisions is whole, up to this one:\n{}:{}\n",
                    chain.seq(),
                    chain.hash()
                ),
                json!({ "ok": true, "records": chain.seq(), "hash": chain.hash() }),
                Exit::Finished,
            ),
            Self::Broken(why) => (
                format!("The record of decisions is broken: {why}.\n"),
                json!({ "ok": false, "problem": why }),
                Exit::Failed,
            ),
        };
        print_out(&if flags.json { format!("{json}\n") } else { line })?;
        Ok(exit)
    }
}

async fn verify(ledger: &dyn Ledger, expect: Option<&Expected>) -> Result<Verdict, StoreError> {
    let mut chain = Chain::new();
    let mut met = expect.is_none();
    loop {
        let records = match ledger.audit(chain.seq(), PAGE).await {
            Ok(records) => records,
            // A record that cannot be read was not written by this program.
            Err(StoreError::Unreadable(why)) => return Ok(Verdict::Broken(why)),
            Err(error) => return Err(error),
        };
        if records.is_empty() {
            break;
        }
        if let Err(broken) = chain.follow(&records) {
            return Ok(Verdict::Broken(broken.to_string()));
        }
        met |= expect.is_some_and(|wanted| records.iter().any(|record| is(record, wanted)));
    }
    Ok(match expect {
        Some(wanted) if !met => Verdict::Broken(format!(
            "record {} with the hash {} is not there; records were cut off or all of them were made anew",
            wanted.seq, wanted.hash
        )),
        _ => Verdict::Whole(chain),
    })
}

fn is(record: &AuditRecord, wanted: &Expected) -> bool {
    record.seq == wanted.seq && record.hash.starts_with(&wanted.hash)
}

async fn export(ledger: &dyn Ledger, since: Option<Timestamp>) -> anyhow::Result<Exit> {
    let mut after = 0;
    loop {
        let records = ledger.audit(after, PAGE).await?;
        let Some(last) = records.last() else { return Ok(Exit::Finished) };
        after = last.seq;
        let wanted = records.iter().filter(|record| since.is_none_or(|since| record.entry.at >= since));
        let lines = wanted.map(|record| Ok(format!("{}\n", serde_json::to_string(record)?)));
        print_out(&lines.collect::<anyhow::Result<String>>()?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_to_expect_is_its_number_and_hash() {
        assert_eq!(expected("12:9F86d081"), Ok(Expected { seq: 12, hash: "9f86d081".to_owned() }));
        for wrong in ["12", "0:9f86d081", "x:9f86d081", "12:9f", "12:not-hex-at-all"] {
            assert!(expected(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_a_day_or_a_moment() {
        assert_eq!(moment("2026-11-01T00:00:00Z"), Ok(Timestamp(1_793_491_200_000)));
        assert!(moment("2026-11-01").is_ok());
        assert!(moment("yesterday").is_err());
    }
}

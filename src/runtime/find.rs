//! Finding sessions by what people type, and who may go on with one.
//!
//! Reads only. Never says of a session that somebody may not go on with it: for them it does not exist.

use super::intake::Intake;
use crate::protocol::{Actor, Item, SessionKey};
use crate::store::{Find, Listed, Result};

/// Sessions that are looked at when the beginning of a key is typed.
const CANDIDATES: u32 = 20;
/// Sessions that are listed for a person.
const LISTED: u32 = 10;

impl Intake {
    /// The sessions whose key is one of these, or else begins with one of them, and with which this person
    /// may go on: who said something there, or is trusted with every session.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn named_for(&self, typed: &[SessionKey], person: &Actor) -> Result<Vec<SessionKey>> {
        let mut found = Vec::new();
        for key in typed {
            if self.store().exists(key).await? {
                found = vec![key.clone()];
                break;
            }
            found.extend(self.store().keys(key.as_str(), CANDIDATES).await?);
        }
        found.dedup();
        let mut theirs = Vec::new();
        for key in found {
            if self.may_go_on(&key, person).await? {
                theirs.push(key);
            }
        }
        Ok(theirs)
    }

    async fn may_go_on(&self, key: &SessionKey, person: &Actor) -> Result<bool> {
        if self.trusts(person) {
            return Ok(true);
        }
        let said = |item: &Item| matches!(item, Item::User { author, .. } if *author == person.id);
        Ok(self.store().load(key).await?.items.iter().any(|item| said(item)))
    }

    /// The newest sessions of a channel in which all of these words were said.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn of_channel(&self, channel: &str, words: &str) -> Result<Vec<Listed>> {
        let find = Find { channel: Some(channel.to_owned()), ..Find::words(words, LISTED) };
        self.store().find(&find).await
    }
}

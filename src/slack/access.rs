//! Who may talk to us, and where. Pure.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::place::Place;
use super::translate::Person;
use crate::config::SlackConfig;

/// Why somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// We do not work in this channel.
    Channel,
    /// We do not work for this person.
    Person,
    /// We do not work for other organisations.
    External,
}

/// Whether this person may talk to us in this channel.
///
/// # Errors
/// Why not.
pub fn admit(config: &SlackConfig, channel: &str, person: &Person) -> Result<(), Refusal> {
    if person.external && !config.allow_external {
        return Err(Refusal::External);
    }
    if !config.people.is_empty() && !config.people.contains(&person.id) {
        return Err(Refusal::Person);
    }
    let direct = channel.starts_with('D');
    if !direct && !config.channels.is_empty() && !config.channels.iter().any(|known| known == channel) {
        return Err(Refusal::Channel);
    }
    Ok(())
}

/// Remembers who was refused, so that each is told once.
#[derive(Debug, Default)]
pub struct Told(Mutex<HashSet<(String, String, Refusal)>>);

/// How many refusals are remembered; then the memory starts over.
const REMEMBERED: usize = 10_000;

impl Told {
    /// Whether this refusal is news to this person in this channel.
    pub fn first_time(&self, place: &Place, person: &Person, why: Refusal) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert((place.channel.clone(), person.id.clone(), why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, external: bool) -> Person {
        Person { id: id.into(), external }
    }

    #[test]
    fn channels_people_and_organisations_are_kept_apart() {
        let open = SlackConfig::default();
        let closed =
            SlackConfig { channels: vec!["C1".into()], people: vec!["U1".into()], ..SlackConfig::default() };
        let friendly = SlackConfig { allow_external: true, ..SlackConfig::default() };
        for (config, channel, who, verdict) in [
            (&open, "C9", person("U9", false), Ok(())),
            (&open, "C9", person("U9", true), Err(Refusal::External)),
            (&friendly, "C9", person("U9", true), Ok(())),
            (&closed, "C1", person("U1", false), Ok(())),
            (&closed, "C1", person("U2", false), Err(Refusal::Person)),
            (&closed, "C2", person("U1", false), Err(Refusal::Channel)),
            (&closed, "D7", person("U1", false), Ok(())),
            (&closed, "D7", person("U2", false), Err(Refusal::Person)),
        ] {
            assert_eq!(admit(config, channel, &who), verdict, "{channel} {who:?}");
        }
    }

    #[test]
    fn a_refusal_is_said_once_to_each() {
        let told = Told::default();
        let place =
            Place { team: "T".into(), channel: "C".into(), thread_ts: "1".into(), opened_by: "U".into() };
        assert!(told.first_time(&place, &person("U1", false), Refusal::Person));
        assert!(!told.first_time(&place, &person("U1", false), Refusal::Person));
        assert!(told.first_time(&place, &person("U2", false), Refusal::Person));
    }
}

//! Where a Slack session lives, and the one function that names it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{Door, Origin, SessionKey};

/// One thread of one channel. Saved as the session's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The workspace that the app is installed in.
    pub team: String,
    /// The channel or direct message.
    pub channel: String,
    /// The root of the thread.
    pub thread_ts: String,
    /// Who opened the session: the streams' recipient until a turn names its own.
    #[serde(default)]
    pub opened_by: String,
}

impl Place {
    /// The session of this place. The only function that makes a Slack session's key.
    #[must_use]
    pub fn session(&self) -> SessionKey {
        SessionKey(format!("slack:{}:{}:{}", self.team, self.channel, self.thread_ts))
    }

    /// The origin to save with the session.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            door: Door::Slack,
            place: serde_json::to_value(self).unwrap_or(Value::Null),
            channel: Some(self.channel.clone()),
        }
    }

    /// The place of a saved origin; `None` if it is another door's.
    #[must_use]
    pub fn of(origin: &Origin) -> Option<Self> {
        (origin.door == Door::Slack).then(|| Self::deserialize(&origin.place).ok()).flatten()
    }

    /// Whether this is a direct message.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.channel.starts_with('D')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_being_saved_and_names_one_session() {
        let place = Place {
            team: "T1".into(),
            channel: "C1".into(),
            thread_ts: "17.5".into(),
            opened_by: "U1".into(),
        };
        assert_eq!(Place::of(&place.origin()), Some(place.clone()));
        let other_person = Place { opened_by: "U2".into(), ..place.clone() };
        assert_eq!(place.session(), other_person.session());
        assert_eq!(place.session().as_str(), "slack:T1:C1:17.5");
        let terminal = Origin::new(Door::Terminal, place.origin().place);
        assert_eq!(Place::of(&terminal), None);
    }
}

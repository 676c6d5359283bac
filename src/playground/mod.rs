//! A Slack workspace that you can hold: Web API, Socket Mode, signed HTTP delivery, a page, and a
//! scripted model. Imports nothing of ours but `clock`; shares no type with our Slack client.
//! `docs/playground.md` is its contract.

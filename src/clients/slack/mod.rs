//! The Slack client: Web API calls, Socket Mode frames, request signatures.

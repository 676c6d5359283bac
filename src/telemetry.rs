//! The log: to standard error, as lines or JSON, with every secret blotted out that is known or looks so.
//!
//! Owns the subscriber and the redaction of what it writes. Rooms log facts and ids, never bodies of
//! messages or requests; the redaction is the second lock, not the first. Start at [`install`].

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::secret::Secret;
use crate::text::redact;

/// How much is logged, and how.
#[derive(Debug, Clone, Default)]
pub struct Logging {
    /// How often `-v` was given.
    pub verbosity: u8,
    /// What is logged without `-v`.
    pub quiet: Quiet,
    /// `RUST_LOG`, which stands in for all of the above.
    pub filter: Option<String>,
    /// The notation.
    pub format: Format,
    /// Texts that never appear.
    pub secrets: Vec<String>,
}

/// What is logged without `-v`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quiet {
    /// Errors only: somebody reads the same screen.
    #[default]
    Terminal,
    /// What an operator wants to know.
    Service,
}

/// The notation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging for this process; a second call changes nothing.
pub fn install(logging: &Logging) {
    let filter = filter(logging);
    let writer = Redacting { secrets: hidden(&logging.secrets), make: || Out };
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    // A second subscriber is refused; the first goes on.
    let _ = match logging.format {
        Format::Text => base.try_init(),
        Format::Json => base.json().flatten_event(true).try_init(),
    };
}

/// Log lines beyond this many are dropped while nobody takes them.
const DIVERTED_MOST: usize = 256;

/// Where lines go instead of standard error, while somebody draws on that terminal.
static DIVERTED: Mutex<Option<mpsc::Sender<String>>> = Mutex::new(None);

fn diverted() -> MutexGuard<'static, Option<mpsc::Sender<String>>> {
    DIVERTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Log lines on their way to whoever draws the terminal. When this is dropped they go to standard error again.
#[derive(Debug)]
pub struct Diverted(mpsc::Receiver<String>);

impl Diverted {
    /// Takes log lines from now on.
    #[must_use]
    pub fn start() -> Self {
        let (send, lines) = mpsc::channel(DIVERTED_MOST);
        *diverted() = Some(send);
        Self(lines)
    }

    /// The next line. Can be cancelled without losing one.
    pub async fn next(&mut self) -> String {
        match self.0.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Diverted {
    fn drop(&mut self) {
        *diverted() = None;
        while let Ok(line) = self.0.try_recv() {
            // What cannot be written cannot be reported either.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Standard error, unless lines are diverted.
struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match diverted().as_ref() {
            // A line too many is lost; waiting here would stop whoever logs.
            Some(send) => drop(send.try_send(String::from_utf8_lossy(bytes).into_owned())),
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn hidden(secrets: &[String]) -> Arc<[Secret]> {
    secrets.iter().map(|secret| Secret::new(secret)).collect()
}

/// What is logged. Never what `genai` logs: whole bodies of answers, which hold what people said.
fn filter(logging: &Logging) -> EnvFilter {
    let asked = logging.filter.as_deref().map(|asked| {
        let parts = asked.split(',').filter(|part| !part.trim_start().starts_with("genai"));
        parts.collect::<Vec<_>>().join(",")
    });
    let wanted = match asked.map(EnvFilter::try_new) {
        Some(Ok(filter)) => filter,
        _ => EnvFilter::new(directives(logging)),
    };
    // A fixed directive always reads.
    match "genai=off".parse() {
        Ok(silence) => wanted.add_directive(silence),
        Err(_) => wanted,
    }
}

fn directives(logging: &Logging) -> &'static str {
    match (logging.quiet, logging.verbosity) {
        (Quiet::Terminal, 0) => "error",
        (Quiet::Service, 0) | (Quiet::Terminal, 1) => "warn,genai=error,ml_intern=info",
        (Quiet::Service, 1) | (Quiet::Terminal, 2) => "info,ml_intern=debug",
        _ => "debug,ml_intern=trace",
    }
}

/// Writes with secrets blotted out. One log line arrives as one write.
#[derive(Clone)]
struct Redacting<M> {
    secrets: Arc<[Secret]>,
    make: M,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = RedactingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter { secrets: self.secrets.clone(), inner: self.make.make_writer() }
    }
}

struct RedactingWriter<W> {
    secrets: Arc<[Secret]>,
    inner: W,
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.inner.write_all(redact(&text, &self.secrets).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_secret_never_reaches_the_log() {
        let paper = Paper::default();
        let inner = paper.clone();
        let writer =
            Redacting { secrets: hidden(&["plain-very-secret".to_owned()]), make: move || inner.clone() };
        let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(url = "https://x/?token=abc", "sent plain-very-secret twice");
            tracing::warn!(
                error = r#"{"api_key": "short"}"#,
                "Bearer abcdefghijklmnopqrst xoxb-12-34-abcdef"
            );
            tracing::info!("nothing to hide");
        });
        let bytes = paper.0.lock().unwrap().clone();
        let log = String::from_utf8(bytes).unwrap();
        for secret in ["very-secret", "token=abc", "short", "abcdefghij", "xoxb"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        assert!(log.contains("https://x/?token=[REDACTED]") && log.contains("nothing to hide"), "{log}");
    }

    #[test]
    fn bodies_of_answers_are_never_logged_whatever_is_asked_for() {
        for asked in [None, Some("trace"), Some("genai::adapter=debug,info")] {
            let logging = Logging { verbosity: 9, filter: asked.map(str::to_owned), ..Logging::default() };
            let paper = Paper::default();
            let inner = paper.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(filter(&logging))
                .with_writer(move || inner.clone())
                .finish();
            tracing::subscriber::with_default(subscriber, || {
                tracing::error!(target: "genai", "Body: a secret");
                tracing::error!(target: "genai::adapter::adapters::openai", "Body: a secret");
                tracing::error!(target: "ml_intern", "something of ours");
            });
            let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
            assert!(log.contains("something of ours") && !log.contains("Body"), "{asked:?}: {log}");
        }
    }

    #[test]
    fn v_tells_more() {
        let with = |quiet, verbosity| directives(&Logging { quiet, verbosity, ..Logging::default() });
        assert_eq!(with(Quiet::Terminal, 0), "error");
        assert_eq!(with(Quiet::Service, 0), with(Quiet::Terminal, 1));
        assert_eq!(with(Quiet::Terminal, 9), "debug,ml_intern=trace");
    }
}

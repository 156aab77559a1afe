//! The panic hook, which turns panics into exceptions.
//!
//! Invariants:
//! - The hook of the process is set once, and calls the previous one. It reports to a variable telemetry: the last one
//!   that was built, until its shutdown.
//! - A panic inside a panic hook aborts the process: nothing here indexes, unwraps, or takes a lock that the panicking
//!   code could hold.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use opentelemetry::Context;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};

use crate::transmission::WorkerHandle;

/// Maximum time that a process that ends by a panic waits for its telemetry to be sent.
const LAST_FLUSH: Duration = Duration::from_secs(2);

static REPORTER: ArcSwapOption<Reporter> = ArcSwapOption::const_empty();
static SET: Once = Once::new();

/// The receiver of panics.
#[derive(Debug)]
pub(super) struct Reporter {
    logger: SdkLogger,
    handle: WorkerHandle,
}

impl Reporter {
    /// Reports the panics of the process from now on to the loggers of `provider`.
    pub(super) fn install(provider: &SdkLoggerProvider, handle: WorkerHandle) -> Arc<Self> {
        let reporter = Arc::new(Self {
            logger: provider.logger("panic"),
            handle,
        });
        REPORTER.store(Some(reporter.clone()));
        // A thread that panics may not change the hook.
        if !thread::panicking() {
            SET.call_once(set_hook);
        }
        reporter
    }

    /// Stops reporting panics, unless another reporter has taken over.
    pub(super) fn remove(self: &Arc<Self>) {
        REPORTER.compare_and_swap(self, None);
    }

    fn report(&self, panic: &PanicHookInfo<'_>) {
        // azmon's own thread reports its errors by other means, and must not wait for itself.
        if Context::is_current_telemetry_suppressed() {
            return;
        }
        let message = message(panic.payload());
        let is_last = ends_process(message);
        let severity = if is_last {
            Severity::Fatal
        } else {
            Severity::Error
        };
        self.logger.emit(self.record(panic, message, severity));
        if is_last {
            // The process ends, so the result cannot be reported.
            let _ = self.handle.flush(LAST_FLUSH);
        }
    }

    fn record(&self, panic: &PanicHookInfo<'_>, message: &str, severity: Severity) -> SdkLogRecord {
        let mut record = self.logger.create_log_record();
        record.set_severity_number(severity);
        record.add_attribute("exception.type", "panic");
        record.add_attribute("exception.message", AnyValue::from(message.to_owned()));
        if let Some(place) = panic.location() {
            record.add_attribute("code.file.path", AnyValue::from(place.file().to_owned()));
            record.add_attribute("code.line.number", i64::from(place.line()));
            record.add_attribute("code.column.number", i64::from(place.column()));
        }
        if let Some(name) = thread::current().name() {
            record.add_attribute("thread.name", AnyValue::from(name.to_owned()));
        }
        let stack = Backtrace::capture();
        if stack.status() == BacktraceStatus::Captured {
            record.add_attribute("exception.stacktrace", AnyValue::from(stack.to_string()));
        }
        record
    }
}

fn set_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // The previous hook may end the process.
        if let Some(reporter) = REPORTER.load_full() {
            reporter.report(panic);
        }
        previous(panic);
    }));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not a text")
}

/// Messages of the standard library before it aborts, if a panic cannot unwind any further: in a destructor during
/// another panic, and in an `extern "C"` function.
const LAST_WORDS: [&str; 2] = [
    "panic in a destructor during cleanup",
    "panic in a function that cannot unwind",
];

/// Whether the panic ends the process, as far as a hook can tell.
fn ends_process(message: &str) -> bool {
    let on_main_thread = thread::current().name() == Some("main");
    // A runtime that runs tasks on the main thread catches their panics.
    let in_task = tokio::task::try_id().is_some();
    cfg!(panic = "abort") || LAST_WORDS.contains(&message) || (on_main_thread && !in_task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_of_a_panic_is_its_message() {
        for (payload, text) in [
            (Box::new("static") as Box<dyn Any + Send>, "static"),
            (Box::new(String::from("owned")), "owned"),
            (Box::new(7), "a value that is not a text"),
        ] {
            assert_eq!(message(payload.as_ref()), text);
        }
    }

    #[test]
    fn a_panic_of_a_thread_does_not_end_the_process_unless_it_cannot_unwind() {
        assert!(!ends_process("index out of bounds"));
        for last in LAST_WORDS {
            assert!(ends_process(last));
        }
    }
}

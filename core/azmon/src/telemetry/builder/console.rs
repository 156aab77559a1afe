use std::io::Write;

use crate::telemetry::TelemetryBuilder;
use crate::transmission::Console;

impl TelemetryBuilder {
    /// Shows every item that is sent on the standard output, for looking: one line each.
    ///
    /// It needs no connection string: without one nothing else is sent. The format is for people, and
    /// may change. Sending goes on if the output is closed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let telemetry = azmon::Telemetry::builder().service_name("shop").console().build()?;
    /// # Ok::<(), azmon::BuildError>(())
    /// ```
    #[must_use]
    pub fn console(self) -> Self {
        self.console_writer(std::io::stdout())
    }

    /// Shows every item that is sent on a writer, as [`console`](Self::console) does.
    ///
    /// The worker thread writes; a writer that blocks blocks the sending.
    #[must_use]
    pub fn console_writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.console = Some(Console::new(writer));
        self
    }
}

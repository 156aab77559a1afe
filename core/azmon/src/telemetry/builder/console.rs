use std::io::Write;

use crate::telemetry::TelemetryBuilder;
use crate::transmission::Console;

impl TelemetryBuilder {
    /// Prints every sent item to the standard output, one line each.
    ///
    /// It needs no connection string; without one, items are printed only. The format is for people and may
    /// change. If the output is closed, sending continues.
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

    /// Prints every sent item to a writer, as [`console`](Self::console) does.
    ///
    /// The worker thread writes: a writer that blocks delays sending.
    #[must_use]
    pub fn console_writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.console = Some(Console::new(writer));
        self
    }
}

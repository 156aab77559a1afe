//! Processor and memory of this process.

use std::time::Duration;

use crate::metrics::{ProcessSample, process_sample};

/// The processor time that was used before.
#[derive(Debug, Default)]
pub(super) struct Process {
    before: Option<(Duration, Duration)>,
}

impl Process {
    /// Whether the system tells.
    pub(super) const fn is_supported() -> bool {
        cfg!(target_os = "linux")
    }

    /// Memory and processor at `now`, under the old and the new name; the processor since the last call, in percent of all
    /// processors.
    pub(super) fn usage(&mut self, now: Duration) -> Vec<(&'static str, f64)> {
        let ProcessSample {
            cpu,
            private_bytes,
            resident_bytes,
        } = process_sample();
        let mut usage = Vec::new();
        if let Some(bytes) = private_bytes {
            usage.push((r"\Memory\Committed Bytes", bytes as f64));
        }
        if let Some(bytes) = resident_bytes {
            usage.push((r"\Process\Physical Bytes", bytes as f64));
        }
        let before = std::mem::replace(&mut self.before, cpu.map(|cpu| (now, cpu)));
        if let (Some((then, used_before)), Some(used)) = (before, cpu) {
            let passed = now.saturating_sub(then).as_secs_f64();
            if passed > 0.0 {
                let processors = std::thread::available_parallelism().map_or(1, usize::from);
                let used = used.saturating_sub(used_before).as_secs_f64();
                let percent = (100.0 * used / passed / processors as f64).min(100.0);
                usage.push((r"\Processor(_Total)\% Processor Time", percent));
                usage.push((r"\% Process\Processor Time Normalized", percent));
            }
        }
        usage
    }
}

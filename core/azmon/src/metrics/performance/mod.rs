//! Performance counters of the process and the machine, under their Windows names, which Azure Monitor recognises.
//!
//! | Name | Value on Linux | Unit |
//! |---|---|---|
//! | `\Process(??APP_WIN32_PROC??)\% Processor Time` | user and system time of the process | percent of one processor |
//! | `… % Processor Time Normalized` | the same | percent of all processors |
//! | `… Private Bytes` | memory of this process alone, swapped out or not | bytes |
//! | `… IO Data Bytes/sec` | bytes read and written, to any target | bytes per second |
//! | `\Processor(_Total)\% Processor Time` | busy time of the machine | percent |
//! | `\Memory\Available Bytes` | memory available without swapping | bytes |
//! | `\ASP.NET Applications(??APP_W3SVC_PROC??)\Requests/Sec` | requests that ended | per second |
//! | `… Request Execution Time` | their mean duration | milliseconds |
//!
//! Other systems have the last two counters only. A value that the system does not report is left out, and so is a
//! value that the kernel hides in a container.

mod counters;
mod requests;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub(super) use self::counters::PerformanceCounters;
pub(super) use self::requests::RequestRate;
pub(crate) use self::system::process_sample;

/// Resources that this process uses. A value that the system does not provide is `None`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessSample {
    /// User and system time since the process began.
    pub(crate) cpu: Option<std::time::Duration>,
    /// Memory that only this process has, swapped out or not.
    pub(crate) private_bytes: Option<u64>,
    /// Memory that is not swapped out.
    pub(crate) resident_bytes: Option<u64>,
}

//! Measures the cost of azmon: nanoseconds, allocations and instructions, above the bare call and next to its
//! peers.
//!
//! ```console
//! $ cargo xtask bench                  # everything, and writes RESULTS.md
//! $ cargo xtask bench --quick server   # one area, in less than a minute
//! ```
//!
//! # How it measures
//!
//! An [`Area`] is a kind of work, such as answering a request; its [`Case`]s do the same work with different
//! instrumentation. Every case runs in its own process, since global providers and subscribers belong to a
//! process. The cases of an area take turns, round by round, in a rotating order:
//!
//! ```text
//! program ─┬─ process of server/bare            round 1 │ round 2 │ …
//!          ├─ process of server/azmon/recorded        round 1 │ round 2 │ …
//!          └─ process of a peer                             round 1 │ round 2 │ …
//! ```
//!
//! - **ns** is the median of the rounds, in CPU time of the working thread.
//! - **above** is the difference to the case's [reference](Case::above).
//! - **× bare** and **× peer** are medians of the ratios within one round, so that a change of the machine's
//!   speed affects both sides. The peer is the one with the smallest overhead in the same [group](Case::group).
//! - **allocations** and **bytes** are counted by the program `azmon-benches-allocations`, whose allocator counts
//!   the allocations of the working thread. Timed programs use the system's allocator.
//! - **instructions** of the working thread are counted by valgrind's callgrind, if it is installed.
//!
//! A hot loop underestimates the cost in a service, because a service's code is cold. Cases of the area `service` are
//! [servers](fixtures::Server) in separate processes. The program sends requests to their sockets at a fixed rate, reads
//! the processor time of their threads, and receives their telemetry:
//!
//! ```text
//! program ─┬─ requests ─► process of a case: a route without instrumentation, and one with it, in turn
//!          └─ receiver ◄─ telemetry, which is counted
//! ```
//!
//! The difference is small beside what the machine does in between. So the two routes take turns every 40 ms, and each
//! thread that answers requests stays on its processor: clients of the same machine would make it move to another one,
//! whose caches are cold.
//!
//! `cargo xtask bench service --write` measures it alone, and replaces its part of RESULTS.md and the table of
//! the README; `cargo xtask bench portal --write` does so with the portal's part.
//!
//! A case states the number of spans that an operation [records](Case::records). A run fails if another number arrives,
//! because lost spans make a case look cheap.
//!
//! # How to add a case
//!
//! A case of azmon is one call in its file in [`areas`]:
//!
//! ```
//! use azmon_benches::{Case, Workload};
//!
//! let case = Case::azmon("text/azmon/upper", "upper case", || {
//!     |operations: u64| (0..operations).for_each(|_| drop("text".to_uppercase()))
//! })
//! .above("text/bare")
//! .group("upper");
//! assert_eq!(case.id, "text/azmon/upper");
//! ```
//!
//! Work that needs preparation, a flush or counting implements [`Workload`]. A peer is a file in
//! `benches/peers/src` with a function that returns its cases; its version and the version of its OpenTelemetry
//! come from the lock file there. An area is a file in [`areas`] and a line in [`areas::all`].

pub mod area;
pub mod areas;
pub mod case;
pub mod fixtures;
pub mod measure;
pub mod program;
pub mod report;
pub mod target;

pub use area::{Area, Method};
pub use case::{Case, Role};
pub use measure::{Allocations, Figure, Workload};
pub use program::Program;
pub use target::{Bound, Quantity, Target};

/// The error that ends a run.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// [`std::result::Result`] with [`Error`].
pub type Result<T = ()> = std::result::Result<T, Error>;

//! The features of dependencies that only tests enable.
//!
//! Cargo enables the features of development dependencies only in builds with tests. This package enables them in every
//! build of the whole workspace. Programs, documentation and tests therefore share their compiled dependencies.
//! `cargo xtask ci` fails if a feature is missing here.

use crate::support::databases::sqlite as database;

#[path = "source/mod.rs"]
mod source;

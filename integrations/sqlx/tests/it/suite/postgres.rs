use crate::support::databases::postgres as database;

#[path = "source/mod.rs"]
mod source;

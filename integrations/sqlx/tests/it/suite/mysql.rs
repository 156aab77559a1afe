use crate::support::databases::mysql as database;

#[path = "source/mod.rs"]
mod source;

//! The examples, run as a person would, and what arrives in a portal.

#![cfg(test)]

mod azurite;
mod blob_upload;
mod fixture;
mod programs;

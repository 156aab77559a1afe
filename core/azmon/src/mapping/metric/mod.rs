//! Metrics: every data point becomes an item.

mod map;
mod point;
mod spread;
#[cfg(test)]
mod tests;

pub use self::point::{Point, Summary};

//! The state of an aggregate for each group, and the reading of its numbers.

use crate::batch::Vector;
use crate::column::{Column, Data};

/// One aggregate over all groups.
pub(super) trait Accumulator {
    /// Makes room for this number of groups.
    fn grow(&mut self, groups: usize);
    /// Adds rows, given the group of each row and the arguments.
    fn update(&mut self, groups: &[u32], args: &[Vector]);
    /// The result columns, with one row for each group.
    fn finish(self: Box<Self>) -> Vec<Column>;
    /// The approximate memory.
    fn size(&self) -> usize;
}

/// Calls the closure with the group and the real of each row that has one.
pub(super) fn each_real(groups: &[u32], vector: &Vector, mut take: impl FnMut(usize, f64)) {
    if let Vector::Column(column) = vector
        && column.valid.is_none()
    {
        match &column.data {
            Data::Real(values) => {
                groups
                    .iter()
                    .zip(values)
                    .for_each(|(group, value)| take(*group as usize, *value));
                return;
            }
            #[expect(clippy::cast_precision_loss, reason = "Kusto widens long to real")]
            Data::Long(values) => {
                groups
                    .iter()
                    .zip(values)
                    .for_each(|(group, value)| take(*group as usize, *value as f64));
                return;
            }
            _ => {}
        }
    }
    for (row, group) in groups.iter().enumerate() {
        if let Some(value) = vector.get(row).as_real() {
            take(*group as usize, value);
        }
    }
}

/// Calls the closure with the group and the integer of each row that has one.
pub(super) fn each_long(groups: &[u32], vector: &Vector, mut take: impl FnMut(usize, i64)) {
    if let Vector::Column(column) = vector
        && column.valid.is_none()
        && let Data::Long(values) = &column.data
    {
        groups
            .iter()
            .zip(values)
            .for_each(|(group, value)| take(*group as usize, *value));
        return;
    }
    for (row, group) in groups.iter().enumerate() {
        if let Some(value) = vector.get(row).as_long() {
            take(*group as usize, value);
        }
    }
}

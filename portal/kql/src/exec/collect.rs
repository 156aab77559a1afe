//! Aggregates that keep values: percentiles, distinct values, lists, sets, bags, rows.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::accumulator::Accumulator;
use crate::batch::Vector;
use crate::column::{Column, ColumnBuilder, Data};
use crate::functions::Set;
use crate::types::Type;
use crate::value::{Value, order_reals};

/// Percentiles by nearest rank.
pub(super) struct Percentiles {
    ranks: Vec<f64>,
    weighted: bool,
    array: bool,
    ty: Type,
    /// Whether the argument is kept as integers.
    whole: bool,
    longs: Vec<Vec<(i64, i64)>>,
    reals: Vec<Vec<(f64, i64)>>,
    plain: Vec<Vec<f64>>,
    held: usize,
}

impl Percentiles {
    pub(super) fn new(
        ranks: Vec<f64>,
        weighted: bool,
        array: bool,
        ty: Type,
        arg: Option<Type>,
    ) -> Self {
        let ty = match (array, arg) {
            (true, Some(Type::Int)) => Type::Long,
            (true, Some(Type::Decimal)) => Type::Real,
            (true, Some(arg)) => arg,
            _ => ty,
        };
        Self {
            ranks,
            weighted,
            array,
            ty,
            whole: ty != Type::Real,
            longs: Vec::new(),
            reals: Vec::new(),
            plain: Vec::new(),
            held: 0,
        }
    }

    fn wrap(&self, value: i64) -> Value {
        match self.ty {
            Type::DateTime => Value::DateTime(value),
            Type::TimeSpan => Value::TimeSpan(value),
            _ => Value::Long(value),
        }
    }

    /// The values of one group at the ranks.
    fn at_ranks(&mut self, group: usize) -> Vec<Value> {
        let ranks = std::mem::take(&mut self.ranks);
        let values = if self.whole {
            let mut values = std::mem::take(&mut self.longs[group]);
            values.sort_unstable_by_key(|(value, _)| *value);
            let weights: Vec<i64> = values.iter().map(|(_, weight)| *weight).collect();
            positions(&weights, &ranks)
                .into_iter()
                .map(|at| at.map_or(Value::Null, |at| self.wrap(values[at].0)))
                .collect()
        } else if self.weighted {
            let mut values = std::mem::take(&mut self.reals[group]);
            values.sort_unstable_by(|a, b| order_reals(a.0, b.0));
            let weights: Vec<i64> = values.iter().map(|(_, weight)| *weight).collect();
            positions(&weights, &ranks)
                .into_iter()
                .map(|at| at.map_or(Value::Null, |at| Value::Real(values[at].0)))
                .collect()
        } else {
            let mut values = std::mem::take(&mut self.plain[group]);
            ranks
                .iter()
                .map(|rank| nearest(&mut values, *rank).map_or(Value::Null, Value::Real))
                .collect()
        };
        self.ranks = ranks;
        values
    }
}

/// The value of nearest rank, found without a full sort.
#[expect(clippy::cast_precision_loss, reason = "positions are counts of rows")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the number of rows"
)]
fn nearest(values: &mut [f64], rank: f64) -> Option<f64> {
    let position = (rank / 100.0 * values.len() as f64).ceil() as usize;
    let position = position.saturating_sub(1).min(values.len().checked_sub(1)?);
    let (_, value, _) = values.select_nth_unstable_by(position, |a, b| order_reals(*a, *b));
    Some(*value)
}

/// For each rank, the first index at which the cumulative weight reaches it.
#[expect(clippy::cast_precision_loss, reason = "weights are counts")]
fn positions(weights: &[i64], ranks: &[f64]) -> Vec<Option<usize>> {
    let total: f64 = weights.iter().map(|weight| *weight as f64).sum();
    ranks
        .iter()
        .map(|rank| {
            let wanted = rank / 100.0 * total;
            let mut so_far = 0.0;
            let found = weights.iter().position(|weight| {
                so_far += *weight as f64;
                so_far >= wanted && so_far > 0.0
            });
            found.or_else(|| weights.len().checked_sub(1))
        })
        .collect()
}

impl Accumulator for Percentiles {
    fn grow(&mut self, groups: usize) {
        match (self.whole, self.weighted) {
            (true, _) => self.longs.resize(groups, Vec::new()),
            (false, true) => self.reals.resize(groups, Vec::new()),
            (false, false) => self.plain.resize(groups, Vec::new()),
        }
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        self.held += groups.len() * 16;
        if !self.weighted
            && let Vector::Column(column) = &args[0]
            && column.valid.is_none()
        {
            match &column.data {
                Data::Real(values) if !self.whole => {
                    groups
                        .iter()
                        .zip(values)
                        .for_each(|(group, value)| self.plain[*group as usize].push(*value));
                    return;
                }
                Data::Long(values) if self.whole => {
                    groups
                        .iter()
                        .zip(values)
                        .for_each(|(group, value)| self.longs[*group as usize].push((*value, 1)));
                    return;
                }
                _ => {}
            }
        }
        for (row, group) in groups.iter().enumerate() {
            let weight = match args.get(1) {
                Some(weight) => weight.get(row).as_long().unwrap_or(0),
                None => 1,
            };
            let (group, value) = (*group as usize, args[0].get(row));
            if weight <= 0 || value.is_null() {
                continue;
            }
            match (self.whole, self.weighted) {
                (true, _) => self.longs[group].extend(value.as_long().map(|value| (value, weight))),
                (false, true) => {
                    self.reals[group].extend(value.as_real().map(|value| (value, weight)))
                }
                (false, false) => self.plain[group].extend(value.as_real()),
            }
        }
    }

    fn finish(mut self: Box<Self>) -> Vec<Column> {
        let groups = self.longs.len().max(self.reals.len()).max(self.plain.len());
        let (columns, ty) = if self.array {
            (1, Type::Dynamic)
        } else {
            (self.ranks.len(), self.ty)
        };
        let mut builders: Vec<ColumnBuilder> =
            (0..columns).map(|_| ColumnBuilder::new(ty)).collect();
        for group in 0..groups {
            let values = self.at_ranks(group);
            if self.array {
                builders[0].push(Value::array(values));
            } else {
                builders
                    .iter_mut()
                    .zip(values)
                    .for_each(|(builder, value)| builder.push(value));
            }
        }
        builders.into_iter().map(ColumnBuilder::finish).collect()
    }

    fn size(&self) -> usize {
        self.held
    }
}

/// Exact distinct counts.
#[derive(Default)]
pub(super) struct Distinct {
    seen: HashSet<Box<[u8]>>,
    counts: Vec<i64>,
    bytes: usize,
}

impl Accumulator for Distinct {
    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        let mut key = Vec::new();
        for (row, group) in groups.iter().enumerate() {
            let value = args[0].get(row);
            if value.is_null() {
                continue;
            }
            key.clear();
            key.extend_from_slice(&group.to_le_bytes());
            value.write_key(&mut key);
            if !self.seen.contains(&*key) {
                self.bytes += key.len() + 32;
                self.seen.insert(Box::from(&*key));
                self.counts[*group as usize] += 1;
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        vec![Column::of(Type::Long, Data::Long(self.counts), None)]
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

/// `arg_max`, `arg_min` and `take_any`: one row of each group.
pub(super) struct Rows {
    types: Vec<Type>,
    /// `None`: any row.
    least: Option<bool>,
    rows: Vec<Option<Vec<Value>>>,
}

impl Rows {
    pub(super) fn new(types: Vec<Type>, least: Option<bool>) -> Self {
        Self {
            types,
            least,
            rows: Vec::new(),
        }
    }
}

impl Accumulator for Rows {
    fn grow(&mut self, groups: usize) {
        self.rows.resize(groups, None);
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        for (row, group) in groups.iter().enumerate() {
            let slot = &mut self.rows[*group as usize];
            let better = match (&*slot, self.least) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(best), Some(least)) => {
                    let value = args[0].get(row);
                    // Any value replaces a null; a null replaces nothing.
                    match (&value, &best[0]) {
                        (Value::Null, _) => false,
                        (_, Value::Null) => true,
                        _ if least => value.order(&best[0]).is_lt(),
                        _ => value.order(&best[0]).is_gt(),
                    }
                }
            };
            if better {
                *slot = Some(args.iter().map(|arg| arg.get(row)).collect());
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        let column = |index: usize| {
            let values = self
                .rows
                .iter()
                .map(|row| row.as_ref().map_or(Value::Null, |row| row[index].clone()));
            Column::from_values(self.types[index], values)
        };
        (0..self.types.len()).map(column).collect()
    }

    fn size(&self) -> usize {
        self.rows.len() * self.types.len() * size_of::<Value>() * 2
    }
}

pub(super) struct Lists {
    most: usize,
    nulls: bool,
    lists: Vec<Vec<Value>>,
    bytes: usize,
}

impl Lists {
    pub(super) fn new(most: usize, nulls: bool) -> Self {
        Self {
            most,
            nulls,
            lists: Vec::new(),
            bytes: 0,
        }
    }
}

impl Accumulator for Lists {
    fn grow(&mut self, groups: usize) {
        self.lists.resize(groups, Vec::new());
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        for (row, group) in groups.iter().enumerate() {
            let list = &mut self.lists[*group as usize];
            let value = args[0].get(row);
            if list.len() < self.most && (self.nulls || !value.is_null()) {
                self.bytes += value.size();
                list.push(value);
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        vec![Column::from_values(
            Type::Dynamic,
            self.lists.into_iter().map(Value::array),
        )]
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

pub(super) struct Sets {
    most: usize,
    sets: Vec<Set>,
    bytes: usize,
}

impl Sets {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            sets: Vec::new(),
            bytes: 0,
        }
    }
}

impl Accumulator for Sets {
    fn grow(&mut self, groups: usize) {
        self.sets.resize_with(groups, Set::default);
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        for (row, group) in groups.iter().enumerate() {
            let set = &mut self.sets[*group as usize];
            let value = args[0].get(row);
            if set.size() < self.most && !value.is_null() {
                let before = set.size();
                // The elements of an array become elements of the set.
                match &value {
                    Value::Array(items) => items.iter().for_each(|item| set.push(item)),
                    other => set.push(other),
                }
                self.bytes += (set.size() - before) * value.size();
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        vec![Column::from_values(
            Type::Dynamic,
            self.sets.into_iter().map(|set| Value::array(set.items)),
        )]
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

/// Merges bags into one; the first value of a member is kept.
pub(super) struct Bags {
    most: usize,
    bags: Vec<(Vec<(Arc<str>, Value)>, HashMap<Arc<str>, ()>)>,
    bytes: usize,
}

impl Bags {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            bags: Vec::new(),
            bytes: 0,
        }
    }
}

impl Accumulator for Bags {
    fn grow(&mut self, groups: usize) {
        self.bags.resize_with(groups, Default::default);
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        for (row, group) in groups.iter().enumerate() {
            let (members, names) = &mut self.bags[*group as usize];
            let value = args[0].get(row);
            let Some(bag) = value.as_bag() else { continue };
            for (key, member) in &bag.0 {
                if members.len() < self.most && names.insert(key.clone(), ()).is_none() {
                    self.bytes += key.len() + member.size();
                    members.push((key.clone(), member.clone()));
                }
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        vec![Column::from_values(
            Type::Dynamic,
            self.bags
                .into_iter()
                .map(|(members, _)| Value::bag(members)),
        )]
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

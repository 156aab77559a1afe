//! The state that aggregates keep for each group.

use super::accumulator::{Accumulator, each_long, each_real};
use super::collect;
use crate::batch::Vector;
use crate::column::{Column, ColumnBuilder, Data};
use crate::decimal::Decimal;
use crate::plan::{Aggregate, AggregateKind};
use crate::types::Type;
use crate::value::Value;

pub(super) fn accumulator(call: &Aggregate) -> Box<dyn Accumulator> {
    let ty = call.outputs.first().copied().unwrap_or(Type::Dynamic);
    let arg = call.args.first().map(|arg| arg.ty);
    match &call.kind {
        AggregateKind::Count => Box::new(Counting::default()),
        AggregateKind::Sum if ty == Type::Real => Box::new(Reals::new(RealResult::Sum)),
        AggregateKind::Sum if matches!(ty, Type::Long | Type::TimeSpan) => {
            Box::new(Longs::new(ty, false))
        }
        AggregateKind::Average if ty == Type::Real => Box::new(Reals::new(RealResult::Mean)),
        AggregateKind::Average if matches!(ty, Type::TimeSpan | Type::DateTime) => {
            Box::new(Longs::new(ty, true))
        }
        AggregateKind::Sum | AggregateKind::Average => {
            Box::new(Decimals::new(call.kind == AggregateKind::Average))
        }
        AggregateKind::Deviation { population } => {
            Box::new(Reals::new(RealResult::Deviation(*population)))
        }
        AggregateKind::Variance { population } => {
            Box::new(Reals::new(RealResult::Variance(*population)))
        }
        AggregateKind::Min | AggregateKind::Max => {
            Box::new(Extremes::new(ty, call.kind == AggregateKind::Min))
        }
        AggregateKind::Percentiles {
            ranks,
            weighted,
            array,
        } => Box::new(collect::Percentiles::new(
            ranks.clone(),
            *weighted,
            *array,
            ty,
            arg,
        )),
        AggregateKind::DistinctCount => Box::new(collect::Distinct::default()),
        AggregateKind::ArgMax { .. } | AggregateKind::TakeAny => {
            let least = match call.kind {
                AggregateKind::ArgMax { least } => Some(least),
                _ => None,
            };
            Box::new(collect::Rows::new(call.outputs.clone(), least))
        }
        AggregateKind::MakeList { most, nulls } => Box::new(collect::Lists::new(*most, *nulls)),
        AggregateKind::MakeSet { most } => Box::new(collect::Sets::new(*most)),
        AggregateKind::MakeBag { most } => Box::new(collect::Bags::new(*most)),
        AggregateKind::BinaryAnd => Box::new(Bits::new(|a, b| a & b)),
        AggregateKind::BinaryOr => Box::new(Bits::new(|a, b| a | b)),
        AggregateKind::BinaryXor => Box::new(Bits::new(|a, b| a ^ b)),
    }
}

#[derive(Default)]
struct Counting(Vec<i64>);

impl Accumulator for Counting {
    fn grow(&mut self, groups: usize) {
        self.0.resize(groups, 0);
    }

    fn update(&mut self, groups: &[u32], _: &[Vector]) {
        for group in groups {
            self.0[*group as usize] += 1;
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        vec![Column::of(Type::Long, Data::Long(self.0), None)]
    }

    fn size(&self) -> usize {
        self.0.len() * 8
    }
}

#[derive(Clone, Copy)]
enum RealResult {
    Sum,
    Mean,
    Deviation(bool),
    Variance(bool),
}

/// Sums with compensated rounding errors (Neumaier), so that the order of rows has no effect; mean and squared
/// distance by Welford's recurrence.
#[derive(Clone, Copy, Default)]
struct RealState {
    count: f64,
    sum: f64,
    rest: f64,
    mean: f64,
    squares: f64,
}

struct Reals {
    result: RealResult,
    states: Vec<RealState>,
}

impl Reals {
    fn new(result: RealResult) -> Self {
        Self {
            result,
            states: Vec::new(),
        }
    }
}

impl Accumulator for Reals {
    fn grow(&mut self, groups: usize) {
        self.states.resize(groups, RealState::default());
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        let states = &mut self.states;
        match self.result {
            RealResult::Sum | RealResult::Mean => each_real(groups, &args[0], |group, value| {
                let state = &mut states[group];
                state.count += 1.0;
                let sum = state.sum + value;
                let lost = if state.sum.abs() >= value.abs() {
                    (state.sum - sum) + value
                } else {
                    (value - sum) + state.sum
                };
                if lost.is_finite() {
                    state.rest += lost;
                }
                state.sum = sum;
            }),
            RealResult::Deviation(_) | RealResult::Variance(_) => {
                each_real(groups, &args[0], |group, value| {
                    let state = &mut states[group];
                    state.count += 1.0;
                    let delta = value - state.mean;
                    state.mean += delta / state.count;
                    state.squares += delta * (value - state.mean);
                })
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        let spread = |state: &RealState, population: bool| match (state.count, population) {
            (count, _) if count < 1.0 => f64::NAN,
            (count, true) => state.squares / count,
            (count, false) if count < 2.0 => 0.0,
            (count, false) => state.squares / (count - 1.0),
        };
        let values = self.states.iter().map(|state| match self.result {
            RealResult::Sum => state.sum + state.rest,
            RealResult::Mean => (state.sum + state.rest) / state.count,
            RealResult::Variance(population) => spread(state, population),
            RealResult::Deviation(population) => spread(state, population).sqrt(),
        });
        vec![Column::of(Type::Real, Data::Real(values.collect()), None)]
    }

    fn size(&self) -> usize {
        self.states.len() * size_of::<RealState>()
    }
}

/// Sums and averages of integers and times in 128 bits; null if the result exceeds 64 bits.
struct Longs {
    ty: Type,
    mean: bool,
    states: Vec<(i128, i128)>,
}

impl Longs {
    fn new(ty: Type, mean: bool) -> Self {
        Self {
            ty,
            mean,
            states: Vec::new(),
        }
    }
}

impl Accumulator for Longs {
    fn grow(&mut self, groups: usize) {
        self.states.resize(groups, (0, 0));
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        let states = &mut self.states;
        each_long(groups, &args[0], |group, value| {
            states[group].0 += i128::from(value);
            states[group].1 += 1;
        });
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        let mut builder = ColumnBuilder::new(self.ty);
        for (sum, count) in &self.states {
            let result = if self.mean {
                sum.checked_div(*count)
            } else {
                Some(*sum)
            };
            match result.and_then(|result| i64::try_from(result).ok()) {
                Some(result) => builder.push_long(result),
                None => builder.push_null(),
            }
        }
        vec![builder.finish()]
    }

    fn size(&self) -> usize {
        self.states.len() * 32
    }
}

struct Decimals {
    mean: bool,
    states: Vec<(Option<Decimal>, i64)>,
}

impl Decimals {
    fn new(mean: bool) -> Self {
        Self {
            mean,
            states: Vec::new(),
        }
    }
}

impl Accumulator for Decimals {
    fn grow(&mut self, groups: usize) {
        self.states.resize(groups, (Some(Decimal::from_long(0)), 0));
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        for (row, group) in groups.iter().enumerate() {
            if let Value::Decimal(value) = args[0].get(row) {
                let state = &mut self.states[*group as usize];
                state.0 = state.0.and_then(|sum| sum.add(value));
                state.1 += 1;
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        let values = self.states.iter().map(|(sum, count)| {
            let result = if self.mean {
                sum.and_then(|sum| sum.div(Decimal::from_long(*count)))
            } else {
                *sum
            };
            result.map_or(Value::Null, Value::Decimal)
        });
        vec![Column::from_values(Type::Decimal, values)]
    }

    fn size(&self) -> usize {
        self.states.len() * 64
    }
}

struct Extremes {
    ty: Type,
    least: bool,
    states: Vec<Value>,
}

impl Extremes {
    fn new(ty: Type, least: bool) -> Self {
        Self {
            ty,
            least,
            states: Vec::new(),
        }
    }
}

impl Accumulator for Extremes {
    fn grow(&mut self, groups: usize) {
        self.states.resize(groups, Value::Null);
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        for (row, group) in groups.iter().enumerate() {
            let value = args[0].get(row);
            let state = &mut self.states[*group as usize];
            let better = match (&value, &*state) {
                (Value::Null, _) => false,
                (_, Value::Null) => true,
                // Any number replaces a NaN.
                (Value::Real(number), _) if number.is_nan() => false,
                (_, Value::Real(number)) if number.is_nan() => true,
                _ if self.least => value.order(state).is_lt(),
                _ => value.order(state).is_gt(),
            };
            if better {
                *state = value;
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        vec![Column::from_values(self.ty, self.states)]
    }

    fn size(&self) -> usize {
        self.states.len() * size_of::<Value>()
    }
}

struct Bits {
    join: fn(i64, i64) -> i64,
    states: Vec<Option<i64>>,
}

impl Bits {
    fn new(join: fn(i64, i64) -> i64) -> Self {
        Self {
            join,
            states: Vec::new(),
        }
    }
}

impl Accumulator for Bits {
    fn grow(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, groups: &[u32], args: &[Vector]) {
        let (states, join) = (&mut self.states, self.join);
        each_long(groups, &args[0], |group, value| {
            states[group] = Some(states[group].map_or(value, |state| join(state, value)));
        });
    }

    fn finish(self: Box<Self>) -> Vec<Column> {
        let values = self
            .states
            .iter()
            .map(|state| state.map_or(Value::Null, Value::Long));
        vec![Column::from_values(Type::Long, values)]
    }

    fn size(&self) -> usize {
        self.states.len() * 16
    }
}

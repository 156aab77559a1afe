//! Functions of datetimes and timespans.

use super::text::{long, text};
use super::{Context, Function};
use crate::convert::convert;
use crate::time::{
    self, Civil, Part, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND,
    UNIX_EPOCH,
};
use crate::types::Type;
use crate::value::Value;
use crate::value::truncate;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("startofday", "dt,[int] -> dt", |_, args| {
        start(args, Part::Day)
    })
    .first(),
    Function::new("startofweek", "dt,[int] -> dt", |_, args| {
        start(args, Part::Week)
    }),
    Function::new("startofmonth", "dt,[int] -> dt", |_, args| {
        start(args, Part::Month)
    }),
    Function::new("startofyear", "dt,[int] -> dt", |_, args| {
        start(args, Part::Year)
    }),
    Function::new("endofday", "dt,[int] -> dt", |_, args| end(args, Part::Day)),
    Function::new("endofweek", "dt,[int] -> dt", |_, args| {
        end(args, Part::Week)
    }),
    Function::new("endofmonth", "dt,[int] -> dt", |_, args| {
        end(args, Part::Month)
    }),
    Function::new("endofyear", "dt,[int] -> dt", |_, args| {
        end(args, Part::Year)
    }),
    Function::new("datetime_add", "s,int,dt -> dt", |_, args| {
        optional(
            || {
                time::add(
                    Part::parse(args[0].as_str()?)?,
                    long(args, 1)?,
                    long(args, 2)?,
                )
            },
            Value::DateTime,
        )
    }),
    Function::new("datetime_diff", "s,dt,dt -> l", |_, args| {
        optional(
            || {
                time::diff(
                    Part::parse(args[0].as_str()?)?,
                    long(args, 1)?,
                    long(args, 2)?,
                )
            },
            Value::Long,
        )
    }),
    Function::new("datetime_part", "s,dt -> i", |_, args| {
        optional(
            || Some(time::part(Part::parse(args[0].as_str()?)?, long(args, 1)?)),
            Value::Long,
        )
    }),
    Function::new("dayofweek", "dt -> ts", |_, args| {
        field(
            args,
            |ticks| time::day_of_week(ticks) * TICKS_PER_DAY,
            Value::TimeSpan,
        )
    }),
    Function::new("dayofmonth", "dt -> i", |_, args| {
        field(args, |ticks| Civil::of(ticks).day, Value::Long)
    }),
    Function::new("dayofyear", "dt -> i", |_, args| {
        field(args, time::day_of_year, Value::Long)
    }),
    Function::new("hourofday", "dt -> i", |_, args| {
        field(args, |ticks| time::part(Part::Hour, ticks), Value::Long)
    }),
    Function::new("monthofyear", "dt -> i", |_, args| {
        field(args, |ticks| Civil::of(ticks).month, Value::Long)
    }),
    Function::new("getyear", "dt -> i", |_, args| {
        field(args, |ticks| Civil::of(ticks).year, Value::Long)
    }),
    Function::new("week_of_year", "dt -> i", |_, args| {
        field(args, time::iso_week, Value::Long)
    }),
    Function::new("format_datetime", "dt,s -> s", |_, args| {
        long(args, 0).map_or_else(
            || Value::text(""),
            |ticks| Value::text(time::format_datetime(ticks, &text(args, 1))),
        )
    })
    .first(),
    Function::new("format_timespan", "ts,s -> s", |_, args| {
        long(args, 0).map_or_else(
            || Value::text(""),
            |ticks| Value::text(time::format_timespan(ticks, &text(args, 1))),
        )
    })
    .first(),
    Function::new(
        "make_datetime",
        "num,num,num,[num],[num],[num] -> dt; any -> dt",
        make_datetime,
    ),
    Function::new(
        "make_timespan",
        "num,num,[num],[num] -> ts; any -> ts",
        make_timespan,
    ),
    Function::new("unixtime_seconds_todatetime", "num -> dt", |_, args| {
        unix(args, 10_000_000.0, 10_000_000, 1)
    }),
    Function::new(
        "unixtime_milliseconds_todatetime",
        "num -> dt",
        |_, args| unix(args, 10_000.0, 10_000, 1),
    ),
    Function::new(
        "unixtime_microseconds_todatetime",
        "num -> dt",
        |_, args| unix(args, 10.0, 10, 1),
    ),
    Function::new("unixtime_nanoseconds_todatetime", "num -> dt", |_, args| {
        unix(args, 0.01, 1, 100)
    }),
    Function::new(
        "around",
        "num,num,num -> b; dt,dt,ts -> b; ts,ts,ts -> b",
        around,
    ),
];

fn optional<T>(compute: impl FnOnce() -> Option<T>, wrap: impl FnOnce(T) -> Value) -> Value {
    compute().map_or(Value::Null, wrap)
}

fn field(args: &[Value], f: impl Fn(i64) -> i64, wrap: impl Fn(i64) -> Value) -> Value {
    long(args, 0).map_or(Value::Null, |ticks| wrap(f(ticks)))
}

fn offset(args: &[Value]) -> Option<i64> {
    args.get(1).map_or(Some(0), Value::as_long)
}

fn start(args: &[Value], unit: Part) -> Value {
    optional(
        || time::start_of(unit, long(args, 0)?, offset(args)?),
        Value::DateTime,
    )
}

/// The last tick of the unit.
fn end(args: &[Value], unit: Part) -> Value {
    optional(
        || {
            let next = time::start_of(unit, long(args, 0)?, offset(args)?.checked_add(1)?);
            let last = next.map_or(time::MAX_DATETIME, |next| next - 1);
            time::checked(last)
        },
        Value::DateTime,
    )
}

/// Seconds, whole or not, in ticks.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Long(seconds) => seconds.checked_mul(TICKS_PER_SECOND),
        other => truncate((other.as_real()? * 1e7).round()),
    }
}

fn whole(args: &[Value], index: usize) -> Option<i64> {
    match args.get(index) {
        Some(value) => convert(value, Type::Long).as_long(),
        None => Some(0),
    }
}

fn make_datetime(_: &mut Context, args: &[Value]) -> Value {
    if args.len() == 1 {
        return convert(&args[0], Type::DateTime);
    }
    optional(
        || {
            let (hour, minute) = (whole(args, 3)?, whole(args, 4)?);
            let second = args.get(5).map_or(Some(0), seconds)?;
            let valid = (0..24).contains(&hour)
                && (0..60).contains(&minute)
                && (0..TICKS_PER_MINUTE).contains(&second);
            let time = hour
                .checked_mul(TICKS_PER_HOUR)?
                .checked_add(minute.checked_mul(TICKS_PER_MINUTE)?)?;
            let date = time::from_civil(
                whole(args, 0)?,
                whole(args, 1)?,
                whole(args, 2)?,
                time.checked_add(second)?,
            )?;
            valid.then_some(date)
        },
        Value::DateTime,
    )
}

fn make_timespan(_: &mut Context, args: &[Value]) -> Value {
    if args.len() == 1 {
        return convert(&args[0], Type::TimeSpan);
    }
    optional(
        || {
            let (days, rest) = if args.len() == 4 {
                (whole(args, 0)?, &args[1..])
            } else {
                (0, args)
            };
            let (hours, minutes) = (whole(rest, 0)?, whole(rest, 1)?);
            let seconds = rest.get(2).map_or(Some(0), seconds)?;
            days.checked_mul(TICKS_PER_DAY)?
                .checked_add(hours.checked_mul(TICKS_PER_HOUR)?)?
                .checked_add(minutes.checked_mul(TICKS_PER_MINUTE)?)?
                .checked_add(seconds)
        },
        Value::TimeSpan,
    )
}

fn unix(args: &[Value], factor: f64, multiply: i64, divide: i64) -> Value {
    optional(
        || {
            let ticks = match &args[0] {
                Value::Long(number) => number.checked_mul(multiply)?.div_euclid(divide),
                other => truncate((other.as_real()? * factor).round())?,
            };
            time::checked(ticks.checked_add(UNIX_EPOCH)?)
        },
        Value::DateTime,
    )
}

fn around(_: &mut Context, args: &[Value]) -> Value {
    match (long(args, 0), long(args, 1), long(args, 2)) {
        (Some(x), Some(center), Some(delta)) => {
            Value::Bool((i128::from(x) - i128::from(center)).abs() <= i128::from(delta))
        }
        _ => match (args[0].as_real(), args[1].as_real(), args[2].as_real()) {
            (Some(x), Some(center), Some(delta)) => Value::Bool((x - center).abs() <= delta),
            _ => Value::Null,
        },
    }
}

//! `/api/metrics` and `/api/metrics/series`.

mod exemplars;
mod groups;
mod list;
mod points;
mod series;
mod standard;

pub(super) use self::list::list;
pub(super) use self::series::series;

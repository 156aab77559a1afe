use crate::instrument::http::labels::{EndLabels, Labels};
use crate::instrument::http::metrics::{Instruments, Measured};

/// Nothing is bound.
#[derive(Debug, Default)]
pub(in crate::instrument::http) struct Bound(());

#[expect(
    clippy::unused_self,
    reason = "the same as where instruments are bound"
)]
impl Bound {
    pub(in crate::instrument::http) fn change_active(
        &self,
        _: &Instruments,
        _: &Labels,
        _: i64,
    ) -> bool {
        false
    }

    pub(in crate::instrument::http) fn record(
        &self,
        _: &Instruments,
        _: EndLabels<'_>,
        _: Measured,
    ) -> bool {
        false
    }
}

use crate::instrument::http::labels::{EndLabels, Labels};
use crate::instrument::http::metrics::{Instruments, Measured};

/// Nothing is bound.
#[derive(Debug, Default)]
pub(in crate::instrument::http) struct Bound(());

/// An exchange that counts as active.
#[derive(Debug)]
pub(in crate::instrument::http) struct Active(());

#[expect(
    clippy::unused_self,
    reason = "the same as where instruments are bound"
)]
impl Bound {
    pub(in crate::instrument::http) fn start(
        &self,
        instruments: &Instruments,
        labels: &Labels,
    ) -> Active {
        instruments.change_active(labels, 1);
        Active(())
    }

    pub(in crate::instrument::http) fn end(
        &self,
        instruments: &Instruments,
        _: Active,
        ended: EndLabels<'_>,
        measured: Measured,
    ) {
        instruments.change_active(ended.labels, -1);
        instruments.record(ended, measured);
    }
}

use crate::http::instruments::{Instruments, Measured};
use crate::http::labels::{EndLabels, Labels};

/// Binds nothing.
#[derive(Debug, Default)]
pub(in crate::http) struct Bound(());

/// The instruments for exchanges with equal labels.
#[derive(Debug)]
pub(in crate::http) struct Group(Box<Labels<'static>>);

#[expect(
    clippy::unused_self,
    reason = "the same as where instruments are bound"
)]
impl Bound {
    pub(in crate::http) fn group(&self, _: &Instruments, labels: Labels<'_>) -> Group {
        Group(Box::new(labels.to_owned()))
    }
}

impl Group {
    pub(in crate::http) fn labels(&self) -> &Labels<'static> {
        &self.0
    }

    pub(in crate::http) fn change_active(&self, instruments: &Instruments, by: i64) {
        instruments.change_active(&self.0, by);
    }

    pub(in crate::http) fn record(
        &self,
        instruments: &Instruments,
        ended: EndLabels<'_>,
        measured: Measured,
    ) {
        instruments.record(&ended.list_with(&self.0), measured);
    }
}

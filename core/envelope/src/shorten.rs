//! Shrinks an item that is too large as a whole although each field is within its limit.

use std::borrow::Cow;

use crate::limits::truncate;
use crate::{Data, Envelope, ExceptionData, ExceptionDetails, Measurements};

/// Errors that [`Envelope::thin_out`] keeps of a chain: the outermost ones and the innermost one.
const FEW_EXCEPTIONS: usize = 4;
/// Frames that it keeps of each stack.
const FEW_FRAMES: usize = 20;
/// Measurements that it keeps.
const FEW_MEASUREMENTS: usize = 20;

impl<'a> Envelope<'a> {
    /// Cuts every text, except the item's id and the ids of its operation, to `max` UTF-16 code units.
    pub fn shorten(&mut self, max: usize) {
        self.tags.retain(|key, value| {
            if !key.starts_with("ai.operation.") || key.ends_with("name") {
                truncate(value, max);
            }
            true
        });
        self.data.properties_mut().retain(|_, value| {
            truncate(value, max);
            true
        });
        for_each_text(&mut self.data, &mut |text| truncate(text, max));
    }

    /// Cuts long lists: keeps the outermost errors of a chain and the innermost one, which has the root cause, the
    /// first frames of each stack, and the first measurements.
    pub fn thin_out(&mut self) {
        if let Data::Exception(data) = &mut self.data {
            keep_few(data);
        }
        if let Some(measurements) = measurements(&mut self.data) {
            measurements.truncate(FEW_MEASUREMENTS);
        }
    }
}

fn keep_few(data: &mut ExceptionData<'_>) {
    if data.exceptions.len() > FEW_EXCEPTIONS {
        let innermost = data.exceptions.pop();
        data.exceptions.truncate(FEW_EXCEPTIONS - 1);
        let outer = data.exceptions.last().and_then(|outer| outer.id);
        data.exceptions
            .extend(innermost.map(|innermost| ExceptionDetails {
                outer_id: outer.or(innermost.outer_id),
                ..innermost
            }));
    }
    for exception in &mut data.exceptions {
        exception.parsed_stack.truncate(FEW_FRAMES);
    }
}

fn measurements<'d, 'a>(data: &'d mut Data<'a>) -> Option<&'d mut Measurements<'a>> {
    match data {
        Data::Request(data) => Some(&mut data.measurements),
        Data::RemoteDependency(data) => Some(&mut data.measurements),
        Data::Exception(data) => Some(&mut data.measurements),
        Data::Message(data) => Some(&mut data.measurements),
        Data::Event(data) => Some(&mut data.measurements),
        Data::Availability(data) => Some(&mut data.measurements),
        Data::PageView(data) => Some(&mut data.measurements),
        Data::PageViewPerf(data) => Some(&mut data.page.measurements),
        Data::Metric(_) => None,
    }
}

fn for_each_text<'a>(data: &mut Data<'a>, visit: &mut dyn FnMut(&mut Cow<'a, str>)) {
    match data {
        Data::Request(data) => {
            visit(&mut data.name);
            visit(&mut data.response_code);
            data.source.iter_mut().chain(&mut data.url).for_each(visit);
        }
        Data::RemoteDependency(data) => {
            visit(&mut data.name);
            let optional = [
                &mut data.result_code,
                &mut data.data,
                &mut data.dependency_type,
                &mut data.target,
            ];
            optional.into_iter().flatten().for_each(visit);
        }
        Data::Exception(data) => {
            data.problem_id.iter_mut().for_each(&mut *visit);
            for exception in &mut data.exceptions {
                visit(&mut exception.message);
                exception
                    .type_name
                    .iter_mut()
                    .chain(&mut exception.stack)
                    .for_each(&mut *visit);
                for frame in &mut exception.parsed_stack {
                    visit(&mut frame.method);
                    frame
                        .assembly
                        .iter_mut()
                        .chain(&mut frame.file_name)
                        .for_each(&mut *visit);
                }
            }
        }
        Data::Message(data) => visit(&mut data.message),
        Data::Event(data) => visit(&mut data.name),
        Data::Metric(data) => {
            for point in &mut data.metrics {
                visit(&mut point.name);
                point.namespace.iter_mut().for_each(&mut *visit);
            }
        }
        Data::Availability(data) => {
            visit(&mut data.name);
            data.run_location
                .iter_mut()
                .chain(&mut data.message)
                .for_each(visit);
        }
        Data::PageView(data) => {
            visit(&mut data.name);
            data.url
                .iter_mut()
                .chain(&mut data.referrer_uri)
                .for_each(visit);
        }
        Data::PageViewPerf(data) => {
            visit(&mut data.page.name);
            data.page
                .url
                .iter_mut()
                .chain(&mut data.page.referrer_uri)
                .for_each(visit);
        }
    }
}

use std::cell::RefCell;

use bytes::BytesMut;
use http::HeaderValue;

use super::traceparent::LENGTH;

/// Number of values that are cut from one buffer. The buffer is reused once all of them are dropped.
const VALUES: usize = 64;

thread_local! {
    static BUFFER: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Makes a header value that usually needs no allocation of its own, and whose clones need none either.
///
/// `HeaderValue::from_bytes` allocates, and so does the first clone. Clients clone the headers of every request, in
/// case it is redirected.
pub(super) fn header_value(traceparent: &[u8; LENGTH]) -> Option<HeaderValue> {
    let shared = BUFFER.try_with(|buffer| {
        let mut buffer = buffer.try_borrow_mut().ok()?;
        if buffer.capacity() < LENGTH {
            buffer.reserve(VALUES * LENGTH);
        }
        buffer.extend_from_slice(traceparent);
        Some(buffer.split().freeze())
    });
    match shared {
        Ok(Some(bytes)) => HeaderValue::from_maybe_shared(bytes).ok(),
        _ => HeaderValue::from_bytes(traceparent).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_what_they_are_however_long_they_are_kept() {
        let text = |number: usize| format!("{number:0>LENGTH$}");
        let value = |number| {
            let bytes: [u8; LENGTH] = text(number).into_bytes().try_into().unwrap();
            header_value(&bytes).unwrap()
        };
        let kept: Vec<_> = (0..3 * VALUES).map(value).collect();
        for number in 3 * VALUES..9 * VALUES {
            assert_eq!(value(number), text(number));
        }
        for (number, value) in kept.iter().enumerate() {
            assert_eq!(*value, text(number));
        }
    }
}

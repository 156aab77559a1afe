use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use opentelemetry::StringValue;

use super::hash::hash;

/// Number of slots of each thread; a power of two.
const SLOTS: usize = 64;
/// Maximum length of a kept text, in bytes.
const MAX_LENGTH: usize = 512;

type Texts = RefCell<[Option<Arc<str>>; SLOTS]>;

thread_local! {
    static TEXTS: Texts = const { RefCell::new([const { None }; SLOTS]) };
    static PATHS: Texts = const { RefCell::new([const { None }; SLOTS]) };
    static ADDRESSES: RefCell<[Option<(IpAddr, Arc<str>)>; SLOTS]> =
        const { RefCell::new([const { None }; SLOTS]) };
}

/// Returns a value with this text, shared with a recent one of this thread.
///
/// For texts that recur but are not bounded: hosts and user agents. Each thread keeps the last text of 64 slots, of at
/// most 512 bytes each.
#[must_use]
pub fn interned(text: &str) -> StringValue {
    TEXTS.with(|texts| recent(texts, text))
}

/// [`interned`] for a path. Paths are more numerous, and have their own slots.
#[must_use]
pub fn interned_path(path: &str) -> StringValue {
    PATHS.with(|paths| recent(paths, path))
}

fn recent(texts: &Texts, text: &str) -> StringValue {
    if text.len() > MAX_LENGTH {
        return StringValue::from(text.to_owned());
    }
    let slot = &mut texts.borrow_mut()[slot_of(text.as_bytes())];
    if let Some(kept) = slot.as_ref().filter(|kept| ***kept == *text) {
        return kept.clone().into();
    }
    slot.insert(Arc::from(text)).clone().into()
}

/// [`interned`] for an address, which is not even formatted if it is recent.
///
/// An IPv4-mapped IPv6 address is written as IPv4.
#[must_use]
pub fn interned_address(address: IpAddr) -> StringValue {
    let address = address.to_canonical();
    let slot = match address {
        IpAddr::V4(address) => slot_of(&address.octets()),
        IpAddr::V6(address) => slot_of(&address.octets()),
    };
    ADDRESSES.with_borrow_mut(|slots| {
        let slot = &mut slots[slot];
        if let Some((_, text)) = slot.as_ref().filter(|(kept, _)| *kept == address) {
            return text.clone().into();
        }
        let text = Arc::from(address.to_string());
        slot.insert((address, text)).1.clone().into()
    })
}

/// A caller that sends texts that collide only makes them be copied.
fn slot_of(bytes: &[u8]) -> usize {
    (hash(bytes) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_they_were_however_often_slots_are_replaced() {
        for round in 0..3 {
            for number in 0..1_000 {
                let text = format!("agent/{number}");
                assert_eq!(interned(&text).as_str(), text, "round {round}");
            }
        }
        let long = "x".repeat(MAX_LENGTH + 1);
        assert_eq!(interned(&long).as_str(), long);
    }

    #[test]
    fn texts_spread_over_the_slots() {
        let mut used = std::collections::HashSet::new();
        for number in 0..1_000_u32 {
            used.insert(slot_of(format!("host-{number}.example.com").as_bytes()));
        }
        assert_eq!(used.len(), SLOTS);
    }

    #[test]
    fn addresses_are_written_in_their_shortest_form() {
        for (address, text) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(interned_address(address.parse().unwrap()).as_str(), text);
        }
    }
}

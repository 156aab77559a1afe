use std::sync::OnceLock;

/// A list that only grows: it holds one value for each of a few keys, and never removes one.
///
/// Lookups take no lock. The list keeps at most [`CAPACITY`] values.
#[derive(Debug)]
pub(super) struct Chain<K, V>(OnceLock<Box<Link<K, V>>>);

#[derive(Debug)]
struct Link<K, V> {
    key: K,
    value: V,
    next: Chain<K, V>,
}

/// Maximum number of values, and therefore of steps of a lookup.
const CAPACITY: usize = 64;

impl<K, V> Default for Chain<K, V> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<K, V> Chain<K, V> {
    /// Returns the value of the key, made if it is missing; `None` if the list is full.
    pub(super) fn get(
        &self,
        is_it: impl Fn(&K) -> bool,
        mut make: impl FnMut() -> (K, V),
    ) -> Option<&V> {
        let mut chain = self;
        for _ in 0..CAPACITY {
            let Link { key, value, next } = &**chain.0.get_or_init(|| Box::new(make().into()));
            if is_it(key) {
                return Some(value);
            }
            chain = next;
        }
        None
    }
}

impl<K, V> From<(K, V)> for Link<K, V> {
    fn from((key, value): (K, V)) -> Self {
        Self {
            key,
            value,
            next: Chain::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(chain: &Chain<usize, String>, key: usize) -> Option<&String> {
        chain.get(|known| *known == key, || (key, format!("{key}")))
    }

    #[test]
    fn a_value_is_made_once() {
        let chain = Chain::default();
        let first = get(&chain, 1).unwrap();
        assert_eq!(get(&chain, 2).unwrap(), "2");
        assert!(std::ptr::eq(first, get(&chain, 1).unwrap()));
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let chain = Chain::default();
        for key in 0..CAPACITY {
            assert!(get(&chain, key).is_some());
        }
        assert_eq!(get(&chain, CAPACITY), None);
        assert_eq!(get(&chain, CAPACITY - 1).unwrap(), "63");
    }

    #[test]
    fn threads_that_make_the_same_share_it() {
        let chain = Chain::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..CAPACITY).for_each(|key| assert!(get(&chain, key).is_some())));
            }
        });
        for key in 0..CAPACITY {
            assert_eq!(get(&chain, key).unwrap(), &format!("{key}"));
        }
    }
}

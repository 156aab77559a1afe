//! The waiting items of the queue, in lanes: each thread adds to a lane of its own.

use std::mem;

use crate::shards::Shards;

/// Maximum capacity of an emptied lane, in items.
const KEPT_CAPACITY: usize = 4_096;

/// Lists of waiting items.
#[derive(Debug)]
pub(super) struct Lanes<T>(Shards<Lane<T>>);

#[derive(Debug)]
struct Lane<T> {
    items: Vec<T>,
    is_closed: bool,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        Self(Shards::new())
    }

    /// Adds an item, or returns it if the lanes are closed.
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        self.0.update(|lane| {
            if lane.is_closed {
                return Err(item);
            }
            lane.items.push(item);
            Ok(())
        })
    }

    /// Passes all waiting items to `take`. The items of a thread keep their order, unless its lane was held when it added
    /// one of them.
    pub(super) fn take_all(&self, take: impl FnMut(T)) {
        self.empty(false, take);
    }

    /// Passes all waiting items to `take`, and refuses further ones.
    pub(super) fn close(&self, take: impl FnMut(T)) {
        self.empty(true, take);
    }

    fn empty(&self, closes: bool, take: impl FnMut(T)) {
        let emptied = self.0.each(|lane| {
            lane.is_closed |= closes;
            let usual = lane.items.len().min(KEPT_CAPACITY);
            mem::replace(&mut lane.items, Vec::with_capacity(usual))
        });
        emptied.flatten().for_each(take);
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            is_closed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    const THREADS: u32 = 32;

    fn taken(lanes: &Lanes<u32>) -> Vec<u32> {
        let mut taken = Vec::new();
        lanes.take_all(|item| taken.push(item));
        taken
    }

    #[test]
    fn the_items_of_a_lane_keep_their_order() {
        let lanes = Lanes::new();
        assert!(taken(&lanes).is_empty());
        for item in 0..100 {
            lanes.push(item).unwrap();
        }
        assert_eq!(taken(&lanes), (0..100).collect::<Vec<_>>());
        lanes.push(100).unwrap();
        assert_eq!(taken(&lanes), [100]);
    }

    #[test]
    fn closed_lanes_have_given_everything_away_and_refuse_more() {
        let lanes = Lanes::new();
        lanes.push(1).unwrap();
        let mut rest = Vec::new();
        lanes.close(|item| rest.push(item));
        assert_eq!(rest, [1]);
        assert_eq!(lanes.push(2), Err(2));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| assert_eq!(lanes.push(3), Err(3)));
            }
        });
        assert!(taken(&lanes).is_empty());
    }

    #[test]
    fn nothing_is_lost_between_many_threads_and_one_that_takes() {
        const EACH: u32 = 2_000;
        let lanes = Lanes::new();
        let start = Barrier::new(THREADS as usize + 1);
        let mut all = thread::scope(|scope| {
            for thread in 0..THREADS {
                let (lanes, start) = (&lanes, &start);
                scope.spawn(move || {
                    start.wait();
                    (0..EACH).for_each(|item| lanes.push(thread * EACH + item).unwrap());
                });
            }
            start.wait();
            let mut all = Vec::new();
            while all.len() < (THREADS * EACH) as usize {
                lanes.take_all(|item| all.push(item));
            }
            all
        });
        all.sort_unstable();
        assert_eq!(all, (0..THREADS * EACH).collect::<Vec<_>>());
    }
}

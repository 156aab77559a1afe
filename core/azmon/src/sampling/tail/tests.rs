use std::time::{Duration, Instant};

use opentelemetry::trace::TraceId;

use super::{DecisionBuffer, DecisionLimits, EndedSpan, Held, Released, TailDecision};
use crate::fixtures::span;
use crate::item::Item;

const A: TraceId = TraceId::from_bytes([1; 16]);
const B: TraceId = TraceId::from_bytes([2; 16]);

struct Buffer {
    buffer: DecisionBuffer,
    now: Instant,
}

impl Buffer {
    fn new(limits: DecisionLimits) -> Self {
        Self::keeping(limits, None)
    }

    fn keeping(limits: DecisionLimits, slower_than: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            buffer: DecisionBuffer::new(limits, slower_than, now),
            now,
        }
    }

    fn start_root(&self, trace_id: TraceId) {
        self.buffer.start(trace_id, true, self.now);
    }

    fn start_child(&self, trace_id: TraceId) {
        self.buffer.start(trace_id, false, self.now);
    }

    fn end_child(&self, trace_id: TraceId, name: &str) -> (TailDecision, Vec<String>) {
        self.end(trace_id, name, false, false)
    }

    fn end_root(&self, trace_id: TraceId, name: &str, keep: bool) -> (TailDecision, Vec<String>) {
        self.end(trace_id, name, true, keep)
    }

    fn end(
        &self,
        trace_id: TraceId,
        name: &str,
        is_root: bool,
        keep: bool,
    ) -> (TailDecision, Vec<String>) {
        let ended = EndedSpan {
            trace_id,
            is_root,
            keep,
            item: Some(held(name)),
        };
        shown(self.buffer.end(ended, self.now))
    }
}

fn held(name: &str) -> Held {
    Held::new(span(name).into(), true)
}

fn shown(released: Released) -> (TailDecision, Vec<String>) {
    let names = released.items.into_iter().map(|held| {
        let Item::Span(span) = held.item else {
            panic!("a span")
        };
        span.data().name.clone().into_owned()
    });
    (released.verdict, names.collect())
}

fn by_rate(names: &[&str]) -> (TailDecision, Vec<String>) {
    (
        TailDecision::ByRate,
        names.iter().map(|name| (*name).to_owned()).collect(),
    )
}

fn whole(names: &[&str]) -> (TailDecision, Vec<String>) {
    (TailDecision::Whole, by_rate(names).1)
}

#[test]
fn a_trace_waits_for_its_root_and_follows_it() {
    for keep in [false, true] {
        let buffer = Buffer::new(DecisionLimits::new());
        buffer.start_root(A);
        buffer.start_child(A);
        assert_eq!(buffer.end_child(A, "child"), by_rate(&[]));
        let log = buffer.buffer.offer(A, held("log"), buffer.now);
        assert_eq!(shown(log), by_rate(&[]));
        buffer.start_child(A);
        let all = if keep { whole } else { by_rate };
        assert_eq!(
            buffer.end_root(A, "root", keep),
            all(&["child", "log", "root"])
        );
        let log = buffer.buffer.offer(A, held("late log"), buffer.now);
        assert_eq!(shown(log), all(&["late log"]));
        assert_eq!(buffer.end_child(A, "late"), all(&["late"]));
        assert_eq!(buffer.end_child(A, "stray"), by_rate(&["stray"]));
        assert_eq!(buffer.buffer.decided_early(), 0);
    }
}

#[test]
fn traces_are_apart() {
    let buffer = Buffer::new(DecisionLimits::new());
    buffer.start_root(A);
    buffer.start_root(B);
    buffer.start_child(B);
    assert_eq!(buffer.end_root(A, "a", true), whole(&["a"]));
    assert_eq!(buffer.end_child(B, "child"), by_rate(&[]));
    assert_eq!(buffer.end_root(B, "b", false), by_rate(&["child", "b"]));
}

#[test]
fn several_roots_of_a_trace_are_decided_together_unless_one_is_kept() {
    let buffer = Buffer::new(DecisionLimits::new());
    buffer.start_root(A);
    buffer.start_root(A);
    assert_eq!(buffer.end_root(A, "first", false), by_rate(&[]));
    assert_eq!(
        buffer.end_root(A, "second", true),
        whole(&["first", "second"])
    );
    buffer.start_root(A);
    buffer.start_root(A);
    assert_eq!(buffer.end_root(A, "first", true), whole(&["first"]));
    assert_eq!(buffer.end_root(A, "second", false), whole(&["second"]));
}

#[test]
fn a_later_root_of_a_decided_trace_gets_its_own_chance() {
    let buffer = Buffer::new(DecisionLimits::new());
    buffer.start_root(A);
    buffer.start_child(A);
    assert_eq!(buffer.end_root(A, "first", false), by_rate(&["first"]));
    buffer.start_root(A);
    assert_eq!(buffer.end_child(A, "child"), by_rate(&[]));
    assert_eq!(
        buffer.end_root(A, "second", true),
        whole(&["child", "second"])
    );
}

#[test]
fn what_must_never_be_kept_does_not_wait() {
    let buffer = Buffer::new(DecisionLimits::new());
    buffer.start_root(A);
    buffer.start_child(A);
    let ended = EndedSpan {
        trace_id: A,
        is_root: false,
        keep: false,
        item: None,
    };
    assert_eq!(shown(buffer.buffer.end(ended, buffer.now)), by_rate(&[]));
    assert_eq!(buffer.end_root(A, "root", true), whole(&["root"]));
}

#[test]
fn a_full_buffer_lets_the_rate_decide_and_counts_it() {
    let limits = DecisionLimits::new().items(2);
    let buffer = Buffer::new(limits);
    buffer.start_root(A);
    buffer.start_root(B);
    buffer.end_child(A, "a1");
    buffer.end_child(B, "b1");
    assert_eq!(buffer.end_child(B, "b2"), by_rate(&["b1", "b2"]));
    assert_eq!(buffer.buffer.decided_early(), 1);
    assert_eq!(
        buffer.end_child(A, "a2"),
        by_rate(&[]),
        "there is room again"
    );
    assert_eq!(buffer.end_child(B, "b3"), by_rate(&["b3"]));
    assert_eq!(buffer.end_root(B, "b", true), whole(&["b"]));
    assert_eq!(buffer.end_root(A, "a", true), whole(&["a1", "a2", "a"]));
    assert_eq!(buffer.buffer.decided_early(), 1);
}

#[test]
fn bytes_are_limited_too() {
    let size = held("x").bytes;
    let buffer = Buffer::new(DecisionLimits::new().bytes(2 * size));
    buffer.start_root(A);
    assert_eq!(buffer.end_child(A, "1"), by_rate(&[]));
    assert_eq!(buffer.end_child(A, "2"), by_rate(&[]));
    assert_eq!(buffer.end_child(A, "3"), by_rate(&["1", "2", "3"]));
    assert_eq!(buffer.buffer.decided_early(), 1);
}

#[test]
fn traces_are_limited_and_a_root_without_a_place_is_still_judged() {
    let buffer = Buffer::new(DecisionLimits::new().traces(1));
    buffer.start_root(A);
    buffer.start_root(B);
    assert_eq!(buffer.buffer.decided_early(), 1);
    assert_eq!(buffer.end_child(B, "child"), by_rate(&["child"]));
    assert_eq!(buffer.end_root(B, "b", true), whole(&["b"]));
    buffer.end_root(A, "a", false);
    buffer.start_root(B);
    assert_eq!(buffer.end_child(B, "child"), by_rate(&[]));
    assert_eq!(buffer.buffer.decided_early(), 1);
}

#[test]
fn what_waits_too_long_is_decided_by_the_rate_when_requests_come() {
    let mut buffer = Buffer::new(DecisionLimits::new().max_wait(Duration::from_secs(10)));
    buffer.start_root(A);
    buffer.start_child(A);
    buffer.end_child(A, "child");
    buffer.now += Duration::from_secs(9);
    assert!(buffer.buffer.look_through_all(buffer.now).is_empty());
    buffer.now += Duration::from_secs(1);
    let released: Vec<_> = (0..super::SHARDS)
        .flat_map(|_| buffer.buffer.look_through_next(buffer.now))
        .collect();
    // Every shard was examined less than a second ago.
    assert!(released.len() <= 1);
    buffer.now += Duration::from_secs(2);
    let later = (0..super::SHARDS).flat_map(|_| buffer.buffer.look_through_next(buffer.now));
    let released: Vec<_> = released.into_iter().chain(later).map(shown).collect();
    assert_eq!(released, [by_rate(&["child"])]);
    assert_eq!(buffer.buffer.decided_early(), 1);
    assert_eq!(buffer.end_root(A, "root", true), whole(&["root"]));
}

#[test]
fn a_request_that_is_slow_already_is_kept_before_it_ends() {
    let slower_than = Duration::from_secs(2);
    let mut buffer = Buffer::keeping(DecisionLimits::new(), Some(slower_than));
    buffer.start_root(A);
    buffer.end_child(A, "child");
    buffer.now += slower_than;
    assert!(buffer.buffer.look_through_all(buffer.now).is_empty());
    buffer.now += Duration::from_millis(1);
    let released = buffer.buffer.look_through_all(buffer.now).into_iter();
    let released: Vec<_> = released.map(shown).collect();
    assert_eq!(released, [whole(&["child"])]);
    assert_eq!(buffer.end_child(A, "next"), whole(&["next"]));
    assert_eq!(buffer.buffer.decided_early(), 0);
}

#[test]
fn traces_whose_spans_were_lost_are_forgotten() {
    let mut buffer = Buffer::new(DecisionLimits::new().traces(1));
    buffer.start_root(A);
    for _ in 0..2 {
        buffer.now += Duration::from_secs(60);
        buffer.buffer.look_through_all(buffer.now);
    }
    buffer.start_root(B);
    assert_eq!(buffer.end_child(B, "child"), by_rate(&[]), "B has a place");
    assert_eq!(buffer.buffer.decided_early(), 1);
}

#[test]
fn a_closed_buffer_holds_nothing() {
    let buffer = Buffer::new(DecisionLimits::new());
    buffer.start_root(A);
    buffer.end_child(A, "child");
    let released = buffer.buffer.close(buffer.now);
    let released: Vec<_> = released.into_iter().map(shown).collect();
    assert_eq!(released, [by_rate(&["child"])]);
    assert_eq!(buffer.end_child(A, "late"), by_rate(&["late"]));
    buffer.start_root(B);
    assert_eq!(buffer.end_child(B, "child"), by_rate(&["child"]));
    assert_eq!(buffer.end_root(B, "b", true), whole(&["b"]));
}

mod model {
    //! Random sequences: no item is lost or duplicated, counters return to zero, and the verdicts equal those of a
    //! model without limits.

    use std::sync::atomic::Ordering;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        StartRoot(u8),
        StartChild(u8),
        EndChild(u8),
        EndRoot(u8, bool),
        Offer(u8),
        Pass,
        LookThrough,
    }

    fn step() -> impl Strategy<Value = Step> {
        let trace = 1..5_u8;
        prop_oneof![
            trace.clone().prop_map(Step::StartRoot),
            trace.clone().prop_map(Step::StartChild),
            trace.clone().prop_map(Step::EndChild),
            (trace.clone(), any::<bool>()).prop_map(|(trace, keep)| Step::EndRoot(trace, keep)),
            trace.prop_map(Step::Offer),
            Just(Step::Pass),
            Just(Step::LookThrough),
        ]
    }

    fn id(trace: u8) -> TraceId {
        TraceId::from_bytes([trace; 16])
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_limits_hold(
            steps in prop::collection::vec(step(), 0..200),
            items in 0..6_usize,
            traces in 0..4_usize,
        ) {
            let limits = DecisionLimits::new()
                .items(items)
                .traces(traces)
                .max_wait(Duration::from_secs(3));
            let mut buffer = Buffer::new(limits);
            let (mut entered, mut left) = (0, Vec::new());
            for step in steps {
                let name = entered.to_string();
                match step {
                    Step::StartRoot(trace) => buffer.start_root(id(trace)),
                    Step::StartChild(trace) => buffer.start_child(id(trace)),
                    Step::EndChild(trace) => {
                        entered += 1;
                        left.extend(buffer.end_child(id(trace), &name).1);
                    }
                    Step::EndRoot(trace, keep) => {
                        entered += 1;
                        let (verdict, released) = buffer.end_root(id(trace), &name, keep);
                        prop_assert!(!keep || verdict == TailDecision::Whole);
                        prop_assert!(!keep || released.last() == Some(&name));
                        left.extend(released);
                    }
                    Step::Offer(trace) => {
                        entered += 1;
                        let released = buffer.buffer.offer(id(trace), held(&name), buffer.now);
                        left.extend(shown(released).1);
                    }
                    Step::Pass => buffer.now += Duration::from_secs(1),
                    Step::LookThrough => {
                        let released = buffer.buffer.look_through_all(buffer.now);
                        left.extend(released.into_iter().flat_map(|released| shown(released).1));
                    }
                }
                let waiting = buffer.buffer.items.load(Ordering::Relaxed);
                prop_assert_eq!(waiting, entered - left.len());
                prop_assert!(waiting <= items);
                let held = buffer.buffer.shards.iter();
                let held: usize = held.map(|shard| shard.lock().unwrap().traces.len()).sum();
                prop_assert_eq!(buffer.buffer.traces.load(Ordering::Relaxed), held);
                prop_assert!(held <= traces);
            }
            let released = buffer.buffer.close(buffer.now);
            left.extend(released.into_iter().flat_map(|released| shown(released).1));
            left.sort_by_key(|name| name.parse::<usize>().unwrap());
            let all: Vec<_> = (0..entered).map(|number| number.to_string()).collect();
            prop_assert_eq!(left, all);
            prop_assert_eq!(buffer.buffer.items.load(Ordering::Relaxed), 0);
            prop_assert_eq!(buffer.buffer.bytes.load(Ordering::Relaxed), 0);
        }
    }
}

#[test]
fn many_threads_lose_nothing() {
    const THREADS: u8 = 4;
    const TRACES: u8 = 100;
    let buffer = Buffer::new(DecisionLimits::new().items(64));
    let counted = std::sync::atomic::AtomicUsize::new(0);
    let count = |(_, names): (TailDecision, Vec<String>)| {
        counted.fetch_add(names.len(), std::sync::atomic::Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (buffer, count) = (&buffer, &count);
            scope.spawn(move || {
                for number in 0..TRACES {
                    // Neighbours share half of their traces.
                    let trace_id =
                        TraceId::from_bytes([thread / 2, number].repeat(8).try_into().unwrap());
                    buffer.start_root(trace_id);
                    buffer.start_child(trace_id);
                    count(buffer.end_child(trace_id, "child"));
                    count(shown(buffer.buffer.offer(
                        trace_id,
                        held("log"),
                        buffer.now,
                    )));
                    count(buffer.end_root(trace_id, "root", number % 3 == 0));
                }
            });
        }
    });
    buffer
        .buffer
        .close(buffer.now)
        .into_iter()
        .map(shown)
        .for_each(count);
    assert_eq!(
        counted.into_inner(),
        usize::from(THREADS) * usize::from(TRACES) * 3
    );
}

//! `azmon-benches-peers` with a counting allocator; that program starts it for its cases.

use std::process::ExitCode;

use azmon_benches::Allocations;

fn main() -> ExitCode {
    azmon_benches_peers::program().counting(count).run()
}

fn count(work: &mut dyn FnMut()) -> Allocations {
    let counted = allocation_counter::measure(work);
    Allocations {
        count: counted.count_total,
        bytes: counted.bytes_total,
    }
}

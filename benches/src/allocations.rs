//! [`azmon-benches`](azmon_benches) with a counting allocator; that program starts it for its cases.

use std::process::ExitCode;

use azmon_benches::{Allocations, Program, areas};

fn main() -> ExitCode {
    Program::new(areas::all()).counting(count).run()
}

fn count(work: &mut dyn FnMut()) -> Allocations {
    let counted = allocation_counter::measure(work);
    Allocations {
        count: counted.count_total,
        bytes: counted.bytes_total,
    }
}

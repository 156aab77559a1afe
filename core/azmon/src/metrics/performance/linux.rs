//! Samples from Linux's `/proc` (`proc(5)`).

use std::time::Duration;

use crate::metrics::performance::ProcessSample;
use crate::metrics::performance::counters::Sample;

/// Ticks per second: `USER_HZ`, which is 100 in the kernel's user interface on every architecture that Rust supports.
const TICKS: u64 = 100;

/// Reads the files of this process and of the machine. The kernel generates them without disk access. An unreadable
/// file is skipped.
pub(super) fn sample() -> Sample {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    Sample {
        process_cpu: process_cpu(&read("/proc/self/stat")),
        machine_cpu: machine_cpu(&read("/proc/stat")),
        private_bytes: private_bytes(&read("/proc/self/status")),
        available_bytes: kilobytes(&read("/proc/meminfo"), "MemAvailable"),
        io_bytes: io_bytes(&read("/proc/self/io")),
    }
}

/// Reads only what is of this process: cheap enough for every second.
pub(crate) fn process_sample() -> ProcessSample {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    ProcessSample {
        cpu: process_cpu(&read("/proc/self/stat")),
        private_bytes: private_bytes(&status),
        resident_bytes: kilobytes(&status, "VmRSS"),
    }
}

/// Parses `utime` and `stime`: the 12th and 13th fields after the program's name, which may contain anything and ends
/// at the last parenthesis.
fn process_cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let ticks = next()?.checked_add(next()?)?;
    Some(Duration::from_millis(ticks.saturating_mul(1_000 / TICKS)))
}

/// Parses the line of all processors: user, nice, system, idle, iowait, irq, softirq, steal. `user` and `nice` include
/// the time of guests.
fn machine_cpu(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks = line.split_ascii_whitespace().take(8);
    let ticks: Vec<u64> = ticks.map(str::parse).collect::<Result<_, _>>().ok()?;
    let all = ticks.iter().sum::<u64>();
    let idle = ticks.get(3)? + ticks.get(4).copied().unwrap_or_default();
    Some((all - idle, all))
}

/// Anonymous memory, resident or swapped. Kernels before 4.5 report only the total resident memory.
fn private_bytes(status: &str) -> Option<u64> {
    let swapped = kilobytes(status, "VmSwap").unwrap_or_default();
    let resident = kilobytes(status, "RssAnon").or_else(|| kilobytes(status, "VmRSS"))?;
    Some(resident + swapped)
}

/// Bytes that passed through `read` and `write`, including those of the network and of caches, as on Windows.
fn io_bytes(io: &str) -> Option<u64> {
    let number = |key| field(io, key)?.parse::<u64>().ok();
    number("rchar")?.checked_add(number("wchar")?)
}

/// Parses `key:   123 kB` into bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let number = field(text, key)?.strip_suffix("kB")?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(1_024)
}

fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = values.filter(|(name, _)| *name == key);
    found.next().map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Captured on Linux 6.18, with another name of the program.
    const STAT: &str = "26713 (a) b (c) R 26711 26711 23811 0 -1 4194304 4905 6609 0 0 101 4 4 0 20 0 1 \
                        0 454623 25382912 5387 18446744073709551615 94446109597696 94446109598037";
    const MACHINE: &str = "cpu  296038 287 60140 538649 2080 0 587 296 0 0\n\
                           cpu0 139649 118 28316 279817 663 0 115 146 0 0\n\
                           intr 5 6\n";
    const STATUS: &str = "Name:\tshop\nVmHWM:\t   21760 kB\nVmRSS:\t   21760 kB\n\
                          RssAnon:\t   15104 kB\nRssFile:\t    6656 kB\nVmSwap:\t      32 kB\n";
    const MEMINFO: &str =
        "MemTotal:       24684092 kB\nMemFree:         3624672 kB\nMemAvailable:   23068440 kB\n";
    const IO: &str = "rchar: 1686407\nwchar: 209717467\nsyscr: 927\nwrite_bytes: 209719296\n";

    #[test]
    fn times_of_the_process_are_found_behind_any_name() {
        assert_eq!(process_cpu(STAT), Some(Duration::from_millis(1_050)));
    }

    #[test]
    fn times_of_the_machine_leave_out_what_is_idle() {
        let busy = 296_038 + 287 + 60_140 + 587 + 296;
        let idle = 538_649 + 2_080;
        assert_eq!(machine_cpu(MACHINE), Some((busy, busy + idle)));
    }

    #[test]
    fn memory_is_what_only_the_process_has() {
        assert_eq!(private_bytes(STATUS), Some((15_104 + 32) * 1_024));
        assert_eq!(private_bytes("VmRSS:\t  16384 kB\n"), Some(16_384 * 1_024));
        assert_eq!(kilobytes(MEMINFO, "MemAvailable"), Some(23_068_440 * 1_024));
    }

    #[test]
    fn input_and_output_are_added() {
        assert_eq!(io_bytes(IO), Some(1_686_407 + 209_717_467));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for text in [
            "",
            "cpu",
            "cpu 1 2",
            "cpu a b c d",
            ") S 1",
            "rchar: x",
            "VmRSS: kB",
            "VmRSS: 1",
        ] {
            assert_eq!(process_cpu(text), None, "{text:?}");
            assert_eq!(machine_cpu(text), None, "{text:?}");
            assert_eq!(private_bytes(text), None, "{text:?}");
            assert_eq!(io_bytes(text), None, "{text:?}");
        }
    }

    #[test]
    fn this_process_uses_memory() {
        let sample = sample();
        assert!(sample.private_bytes > Some(0), "{sample:?}");
        assert!(sample.process_cpu.is_some(), "{sample:?}");
        assert!(sample.available_bytes > Some(0), "{sample:?}");
    }
}

use std::fs;
use std::process::Command;
use std::thread;

const UNKNOWN: &str = "unknown";

/// The name and number of processors.
pub(super) fn processor() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = value(&information, "model name").unwrap_or(std::env::consts::ARCH);
    format!("{model}, {cores} cores")
}

/// The operating system, and its kernel.
pub(super) fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = value(&release, "PRETTY_NAME").unwrap_or(std::env::consts::OS);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", name.trim_matches('"'), kernel.trim())
}

/// The compiler.
pub(super) fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    version.unwrap_or_else(|_| UNKNOWN.to_owned())
}

/// The load of the machine in the last minutes, including the measurement itself.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<_> = text.split(' ').take(3).collect();
    match averages.as_slice() {
        [one, five, fifteen] => format!("{one}, {five}, {fifteen} in the last 1, 5 and 15 minutes"),
        _ => UNKNOWN.to_owned(),
    }
}

/// The value of the first line `key: value` or `key=value`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?.trim_start();
        Some(rest.strip_prefix([':', '='])?.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_keys() {
        let text = "model\t\t: 17\nmodel name\t: AMD EPYC\nPRETTY_NAME=\"Debian\"\n";
        assert_eq!(value(text, "model name"), Some("AMD EPYC"));
        assert_eq!(value(text, "PRETTY_NAME"), Some("\"Debian\""));
        assert_eq!(value(text, "absent"), None);
    }
}

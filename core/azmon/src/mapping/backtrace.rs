//! Rust's backtraces, as [`std::backtrace::Backtrace`] and panic messages print them, parsed into frames.

use std::borrow::Cow;

use crate::envelope::StackFrame;

/// The function below which the program's own code ends and the runtime's begins.
const RUNTIME: &str = "__rust_begin_short_backtrace";

/// Functions that begin a panic: the frames before them raise and record it.
const PANIC: [&str; 3] = [
    "rust_begin_unwind",
    "__rustc::rust_begin_unwind",
    "std::panicking::begin_panic",
];

/// Crates with functions between a panic, or the capture of a backtrace, and the code that caused it.
const MACHINERY: [&str; 5] = ["alloc", "anyhow", "core", "eyre", "std"];

/// The frames of a backtrace, innermost first, without the frames of the panic machinery and of the runtime. Empty if
/// the text is not a Rust backtrace.
pub(super) fn frames(text: &str) -> Vec<StackFrame<'_>> {
    let mut frames = parse(text);
    if !frames.iter().any(is_rusts) {
        return Vec::new();
    }
    if let Some(end) = frames
        .iter()
        .position(|frame| frame.method.contains(RUNTIME))
        && end > 0
    {
        frames.truncate(end);
    }
    let raised = frames
        .iter()
        .position(is_panic)
        .map_or(0, |place| place + 1);
    let machinery = frames
        .iter()
        .skip(raised)
        .take_while(|frame| is_machinery(frame));
    let start = raised + machinery.count();
    if start < frames.len() {
        frames.drain(..start);
    }
    for (frame, level) in frames.iter_mut().zip(0..) {
        frame.level = level;
    }
    frames
}

/// Whether the frame has a Rust path or a location; numbered lines alone may come from any language.
fn is_rusts(frame: &StackFrame<'_>) -> bool {
    frame.method.contains("::") || frame.file_name.is_some()
}

fn is_panic(frame: &StackFrame<'_>) -> bool {
    PANIC.iter().any(|name| frame.method.starts_with(name))
}

/// Inlined functions may lack their crate, but those of the standard library have a path that identifies it.
fn is_machinery(frame: &StackFrame<'_>) -> bool {
    let assembly = frame.assembly.as_deref();
    let is_library = |file: &str| file.starts_with("/rustc/");
    assembly.is_some_and(|name| MACHINERY.contains(&name))
        || frame.file_name.as_deref().is_some_and(is_library)
}

fn parse(text: &str) -> Vec<StackFrame<'_>> {
    let mut frames: Vec<StackFrame<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ")
            && let Some(frame) = frames.last_mut()
        {
            locate(frame, place);
        } else if let Some(method) = numbered(line) {
            frames.push(frame(method));
        } else if !frames.is_empty() && line.contains("::") && !line.contains(' ') {
            // An inlined function has no number of its own.
            frames.push(frame(line));
        }
    }
    frames
}

/// The function of a line such as `3: shop::main`, or `3: 0x55d0 - shop::main` in the full format.
fn numbered(line: &str) -> Option<&str> {
    let (number, method) = line.split_once(": ")?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let method = method.trim_start();
    let method = match method.split_once(" - ") {
        Some((address, method)) if address.starts_with("0x") => method,
        _ => method,
    };
    (is_number && !method.is_empty()).then_some(method)
}

fn frame(method: &str) -> StackFrame<'_> {
    let method = without_hash(method);
    StackFrame {
        method: Cow::Borrowed(method),
        assembly: crate_of(method).map(Cow::Borrowed),
        ..StackFrame::default()
    }
}

/// A legacy symbol ends with `::h` and 16 hexadecimal digits.
fn without_hash(method: &str) -> &str {
    match method.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name
        }
        _ => method,
    }
}

/// The first segment of a path: `shop` of `<shop::Order as core::fmt::Display>::fmt`.
fn crate_of(method: &str) -> Option<&str> {
    let path = method.trim_start_matches(['<', '&', '*', '(', '[']);
    let path = path.strip_prefix("dyn ").unwrap_or(path);
    let (name, _) = path.split_once("::")?;
    // A symbol in the v0 mangling may contain the disambiguator of its crate: `shop[8e3c]`.
    let name = name.split('[').next().unwrap_or(name);
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !name.is_empty()).then_some(name)
}

/// Reads `file:line:column`. A Windows path has a colon of its own, at its start.
fn locate<'a>(frame: &mut StackFrame<'a>, place: &'a str) {
    let (rest, last) = split_number(place);
    let (file, line) = match (split_number(rest), last) {
        ((file, Some(line)), Some(_)) => (file, Some(line)),
        (_, last) => (rest, last),
    };
    frame.file_name = Some(Cow::Borrowed(file));
    frame.line = line;
}

fn split_number(text: &str) -> (&str, Option<i64>) {
    let split = text.rsplit_once(':');
    let parsed = split.and_then(|(rest, number)| Some((rest, number.parse().ok()?)));
    parsed.map_or((text, None), |(rest, number)| (rest, Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output of Rust 1.95 for an `unwrap` in a handler.
    const PANIC_IN_HANDLER: &str = "   0: rust_begin_unwind
             at /rustc/9fc6b431/library/std/src/panicking.rs:697:5
   1: core::panicking::panic_fmt
             at /rustc/9fc6b431/library/core/src/panicking.rs:75:14
   2: core::option::unwrap_failed
             at /rustc/9fc6b431/library/core/src/option.rs:2072:5
   3: core::option::Option<T>::unwrap
             at /rustc/9fc6b431/library/core/src/option.rs:1000:21
   4: <shop::orders::Order as core::str::FromStr>::from_str
             at ./src/orders.rs:41:9
   5: shop::main::{{closure}}
             at C:\\code\\shop\\src\\main.rs:12:5
   6: std::sys::backtrace::__rust_begin_short_backtrace
             at /rustc/9fc6b431/library/std/src/sys/backtrace.rs:152:18
   7: main
";

    fn seen<'a>(frames: &'a [StackFrame<'_>]) -> Vec<(i64, &'a str, Option<&'a str>, Option<i64>)> {
        let one = |f: &'a StackFrame<'_>| (f.level, &*f.method, f.file_name.as_deref(), f.line);
        frames.iter().map(one).collect()
    }

    #[test]
    fn a_panics_frames_begin_where_the_program_panicked_and_end_where_it_began() {
        let frames = frames(PANIC_IN_HANDLER);
        assert_eq!(
            seen(&frames),
            [
                (
                    0,
                    "<shop::orders::Order as core::str::FromStr>::from_str",
                    Some("./src/orders.rs"),
                    Some(41)
                ),
                (
                    1,
                    "shop::main::{{closure}}",
                    Some("C:\\code\\shop\\src\\main.rs"),
                    Some(12)
                ),
            ]
        );
        let crates: Vec<_> = frames.iter().map(|f| f.assembly.as_deref()).collect();
        assert_eq!(crates, [Some("shop"), Some("shop")]);
    }

    #[test]
    fn addresses_hashes_and_inlined_functions_are_understood() {
        let text = "stack backtrace:
   0:     0x5581aab0 - shop::a::h0123456789abcdef
                               at src/a.rs:1:2
                       shop::inlined
                               at src/b.rs:3
   1:     0x5581aab8 - <unknown>
";
        let frames = frames(text);
        assert_eq!(
            seen(&frames),
            [
                (0, "shop::a", Some("src/a.rs"), Some(1)),
                (1, "shop::inlined", Some("src/b.rs"), Some(3)),
                (2, "<unknown>", None, None),
            ]
        );
    }

    #[test]
    fn a_real_backtrace_of_this_test_has_this_test_first() {
        let text = std::backtrace::Backtrace::force_capture().to_string();
        let frames = frames(&text);
        let first = frames.first().unwrap();
        assert!(
            first.method.contains("a_real_backtrace_of_this_test"),
            "{frames:#?}"
        );
        assert!(
            first
                .file_name
                .as_deref()
                .unwrap()
                .ends_with("backtrace.rs")
        );
        assert!(first.line.is_some());
        let is_ours = |frame: &StackFrame<'_>| frame.assembly.as_deref() == Some("azmon");
        assert!(frames.iter().any(is_ours), "{frames:#?}");
    }

    #[test]
    fn other_texts_have_no_frames() {
        let python =
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nE: no";
        for text in [
            "",
            "st",
            "disabled backtrace",
            python,
            "1: ",
            "0: main\n1: start",
            "at x:1",
            ": a",
        ] {
            assert_eq!(frames(text), [], "{text}");
        }
    }

    #[test]
    fn a_backtrace_that_is_nothing_but_machinery_is_kept() {
        let text = "0: std::panicking::begin_panic\n1: core::panicking::panic_fmt\n";
        assert_eq!(frames(text).len(), 2);
    }
}

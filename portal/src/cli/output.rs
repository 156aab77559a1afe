use std::io::{self, Write};

/// Prints a line to standard output. A closed stream is ignored.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints a line to standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Escapes received text for a terminal: control characters could move the cursor or change earlier output.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' => ' ',
            other if other.is_control() || is_bidirectional(other) => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// Bidirectional control characters, which reorder displayed text.
const fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn received_text_cannot_control_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}[31mb\nc\u{202e}d\u{7}é"),
            "a\u{fffd}[31mb c\u{fffd}d\u{fffd}é"
        );
    }
}

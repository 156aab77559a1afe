use std::io::{self, Write};

/// Writes a line for people. Whoever closed the stream does not want it.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Writes a line for people to the stream of errors.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Received text for a terminal: control characters would move its cursor, or change what was printed before.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' => ' ',
            other if other.is_control() || is_bidirectional(other) => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// Marks that reverse the order in which text is shown.
const fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn received_text_cannot_control_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\nc\u{202e}d\u{7}é"), "a\u{fffd}[31mb c\u{fffd}d\u{fffd}é");
    }
}

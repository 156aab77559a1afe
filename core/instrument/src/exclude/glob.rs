//! Globs: `?` matches one character, `*` any characters except the separator, `**` any characters.

use super::error::Reason;

/// Maximum length of a glob, in characters without the stars.
const MAX_LENGTH: usize = 512;
const WORDS: usize = MAX_LENGTH / 64 + 1;

/// A glob that is matched in one pass over the text, without backtracking: it tracks a set of positions in the glob.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    /// The characters between the stars.
    tokens: Vec<Token>,
    /// The positions that a star precedes.
    stars: Places,
    double_stars: Places,
    separator: Option<char>,
    ignores_case: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    Is(char),
}

/// A set of numbers up to [`MAX_LENGTH`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Places([u64; WORDS]);

impl Glob {
    pub(super) fn parse(
        glob: &str,
        separator: Option<char>,
        ignores_case: bool,
    ) -> Result<Self, Reason> {
        let mut parsed = Self {
            tokens: Vec::new(),
            stars: Places::default(),
            double_stars: Places::default(),
            separator,
            ignores_case,
        };
        let mut characters = glob.chars().peekable();
        while let Some(character) = characters.next() {
            let place = parsed.tokens.len();
            match character {
                '*' if characters.next_if_eq(&'*').is_some() => parsed.double_stars.insert(place),
                '*' => parsed.stars.insert(place),
                '?' => parsed.tokens.push(Token::Any),
                character => parsed.tokens.push(Token::Is(character)),
            }
            if parsed.tokens.len() > MAX_LENGTH {
                return Err(Reason::Long);
            }
        }
        if separator.is_none() {
            parsed.double_stars.extend(&parsed.stars);
        }
        Ok(parsed)
    }

    /// Whether the glob matches the whole text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let words = self.tokens.len() / 64 + 1;
        let mut reached = Places::default();
        reached.insert(0);
        for character in text.chars() {
            let is_separator = self.separator == Some(character);
            let mut next = Places::default();
            let mut is_lost = true;
            for word in 0..words {
                let places = reached.word(word);
                let mut stays = places & self.double_stars.word(word);
                if !is_separator {
                    stays |= places & self.stars.word(word);
                }
                next.add(word, stays);
                is_lost &= stays == 0;
                let mut rest = places;
                while rest != 0 {
                    let place = word * 64 + rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    if self.takes(place, character) {
                        next.insert(place + 1);
                        is_lost = false;
                    }
                }
            }
            if is_lost {
                return false;
            }
            reached = next;
        }
        reached.has(self.tokens.len())
    }

    fn takes(&self, place: usize, character: char) -> bool {
        match self.tokens.get(place) {
            Some(Token::Any) => true,
            Some(Token::Is(own)) if self.ignores_case => own.eq_ignore_ascii_case(&character),
            Some(Token::Is(own)) => *own == character,
            None => false,
        }
    }
}

impl Places {
    fn word(&self, word: usize) -> u64 {
        self.0.get(word).copied().unwrap_or_default()
    }

    fn add(&mut self, word: usize, places: u64) {
        if let Some(own) = self.0.get_mut(word) {
            *own |= places;
        }
    }

    fn insert(&mut self, place: usize) {
        self.add(place / 64, 1 << (place % 64));
    }

    fn extend(&mut self, other: &Self) {
        for (word, places) in other.0.iter().enumerate() {
            self.add(word, *places);
        }
    }

    fn has(&self, place: usize) -> bool {
        self.word(place / 64) & 1 << (place % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_lite::RegexBuilder;

    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        Glob::parse(glob, Some('/'), false).unwrap().matches(text)
    }

    /// The glob as a regular expression.
    fn regex(glob: &str, separator: Option<char>) -> String {
        let one = separator.map_or_else(|| ".*".to_owned(), |separator| format!("[^{separator}]*"));
        let escaped = regex_lite::escape(glob)
            .replace(r"\*\*", ".*")
            .replace(r"\*", &one)
            .replace(r"\?", ".");
        format!("(?s)^{escaped}$")
    }

    #[test]
    fn stars_stop_where_they_must() {
        for (glob, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("a*/*c", "ab/bc", true),
            ("a*/*c", "ab/b/c", false),
            ("?", "ü", true),
            ("?", "", false),
            ("***", "a/b", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn a_long_glob_is_matched_and_a_longer_one_refused() {
        let long = "ab".repeat(MAX_LENGTH / 2);
        assert!(matches(&long, &long));
        assert!(!matches(&long, &long[1..]));
        assert!(Glob::parse(&format!("{long}x"), None, false).is_err());
    }

    #[test]
    fn many_stars_take_no_more_than_one_pass() {
        let glob = "*a".repeat(200);
        let text = "a".repeat(4_000);
        assert!(!matches(&format!("{glob}b"), &text));
        assert!(matches(&glob, &text));
    }

    proptest! {
        #[test]
        fn a_glob_matches_what_its_regular_expression_does(
            glob in "[ab/*?Aü]{0,8}",
            text in "[ab/Aü]{0,10}",
            has_separator: bool,
            ignores_case: bool,
        ) {
            let separator = has_separator.then_some('/');
            let regex = RegexBuilder::new(&regex(&glob, separator))
                .case_insensitive(ignores_case)
                .build()
                .unwrap();
            let glob = Glob::parse(&glob, separator, ignores_case).unwrap();
            prop_assert_eq!(glob.matches(&text), regex.is_match(&text));
        }
    }
}

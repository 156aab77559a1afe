use super::frame::{Expects, Frame};
use super::tokens::{Kind, Token};
use super::words::{self, Verb};

/// The longest summary, in bytes, by OpenTelemetry's rule for `db.query.summary`.
pub const MAX_SUMMARY: usize = 255;

/// Parentheses nested deeper than this are not looked into.
const MAX_DEPTH: usize = 64;

/// What a query does, and to what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) text: String,
    pub(super) operation: Option<String>,
    pub(super) collection: Option<String>,
    pub(super) changes_rows: bool,
}

/// Makes the summary of a query from its tokens: verbs and the tables that they name, in their order.
///
/// This is no parser: it knows where SQL names tables, and passes over everything else.
#[derive(Debug)]
pub(super) struct Summariser {
    summary: String,
    /// Where the last verb starts in `summary`.
    verb_at: usize,
    frame: Frame,
    /// What the open parentheses are in, from the statement inwards.
    outer: Vec<Frame>,
    /// How many parentheses are open beyond [`MAX_DEPTH`].
    deeper: usize,
    name: Option<Name>,
    previous_is_distinct: bool,
    /// Whether the rest of the text is the body of a program.
    opaque: bool,
    statement: Option<(String, Verb)>,
    statements: Vec<(String, Verb)>,
    tables: Vec<String>,
    /// The tables that `WITH` defines, in lower case.
    defined: Vec<String>,
}

/// A name that may still go on: `schema.` before `table`.
#[derive(Debug)]
struct Name {
    text: String,
    dot: bool,
}

impl Summariser {
    pub(super) fn new() -> Self {
        Self {
            summary: String::new(),
            verb_at: 0,
            frame: Frame::STATEMENT,
            outer: Vec::new(),
            deeper: 0,
            name: None,
            previous_is_distinct: false,
            opaque: false,
            statement: None,
            statements: Vec::new(),
            tables: Vec::new(),
            defined: Vec::new(),
        }
    }

    pub(super) fn token(&mut self, token: Token<'_>) {
        if matches!(token.kind, Kind::Comment | Kind::Space)
            || self.opaque
            || self.continues_name(token)
        {
            return;
        }
        match token.kind {
            Kind::Name => self.word(token.text),
            Kind::Quoted => self.identifier(unquoted(token.text)),
            Kind::Symbol => self.symbol(token.text),
            Kind::Comment | Kind::Literal | Kind::Parameter | Kind::Space => {
                self.expect(Expects::Nothing)
            }
        }
        self.previous_is_distinct =
            token.kind == Kind::Name && token.text.eq_ignore_ascii_case("DISTINCT");
    }

    pub(super) fn finish(mut self) -> Summary {
        self.finish_name(false);
        self.statements.extend(self.statement.take());
        let changes_rows = !self.statements.is_empty()
            && self.statements.iter().all(|(_, verb)| verb.changes_rows());
        let operation = match self.statements.split_first() {
            Some(((first, _), others)) if others.iter().all(|(other, _)| other == first) => {
                Some(first.clone())
            }
            _ => None,
        };
        let collection = match self.tables.as_slice() {
            [table] => Some(table.clone()),
            _ => None,
        };
        Summary {
            text: self.summary,
            operation,
            collection,
            changes_rows,
        }
    }

    fn word(&mut self, text: &str) {
        let mut buffer = [0; LONGEST_WORD];
        let word = upper_case(text, &mut buffer);
        let Frame { verb, expects, .. } = self.frame;
        match expects {
            Expects::Statement | Expects::Query => self.begin(word),
            Expects::Definition if word != "RECURSIVE" => self.identifier(text),
            Expects::Kind => self.object_kind(word),
            Expects::Phrase => self.phrase(word),
            _ if word == "SELECT" && !matches!(verb, Some(Verb::Other | Verb::Invoke)) => {
                self.begin(word)
            }
            Expects::Name if words::is_modifier(word) => {}
            Expects::Name if !words::ends_tables(word) => self.identifier(text),
            _ => self.clause(word),
        }
    }

    /// A word where a statement, or a query in parentheses, may begin.
    fn begin(&mut self, word: &str) {
        let known = words::verb(word);
        let (name, verb) = match (self.frame.expects, known) {
            (Expects::Query, Some((_, verb))) if !self.may_stand_in_parentheses(word, verb) => {
                return self.expect(Expects::Nothing);
            }
            (_, Some(("RELEASE", verb))) => ("RELEASE SAVEPOINT", verb),
            (_, Some(known)) => known,
            (Expects::Statement, None) if !word.is_empty() => (word, Verb::Other),
            _ => return self.expect(Expects::Nothing),
        };
        self.frame = Frame::of(verb, name);
        if verb == Verb::With {
            return;
        }
        self.push_verb(name);
        if self.statement.is_none() && self.outer.iter().all(|outer| outer.verb.is_none()) {
            self.statement = Some((name.to_owned(), verb));
        }
    }

    /// `REPLACE` and `INSERT` are functions, too; only `WITH` takes statements that change rows.
    fn may_stand_in_parentheses(&self, word: &str, verb: Verb) -> bool {
        let outer = self.outer.last().and_then(|outer| outer.verb);
        matches!(verb, Verb::Select | Verb::With)
            || verb.changes_rows() && word != "REPLACE" && outer == Some(Verb::With)
    }

    fn object_kind(&mut self, word: &str) {
        let Some(kind) = words::object_kind(word) else {
            return;
        };
        self.extend_verb(kind);
        self.expect(Expects::Name);
        self.frame.tables = matches!(kind, "TABLE" | "VIEW");
    }

    fn phrase(&mut self, word: &str) {
        match (self.last_verb(), word) {
            ("START", "TRANSACTION") => self.extend_verb(word),
            ("ROLLBACK", "TO") => self.extend_verb("TO SAVEPOINT"),
            ("ROLLBACK", "TRANSACTION" | "WORK") => return,
            _ => {}
        }
        self.expect(Expects::Nothing);
    }

    /// A word inside a statement.
    fn clause(&mut self, word: &str) {
        let verb = self.frame.verb;
        let lists_tables = matches!(verb, Some(Verb::Delete | Verb::Select | Verb::Update));
        let names_tables = match word {
            "FROM" => lists_tables && !self.previous_is_distinct,
            "JOIN" | "STRAIGHT_JOIN" => lists_tables,
            "USING" => matches!(verb, Some(Verb::Delete | Verb::Insert)),
            _ => false,
        };
        if names_tables {
            self.frame.expects = Expects::Name;
            self.frame.list = true;
        } else if words::ends_tables(word) {
            self.frame.expects = Expects::Nothing;
            self.frame.list = false;
        } else if matches!(verb, Some(Verb::Explain | Verb::With))
            && words::verb(word).is_some_and(|(_, verb)| verb.is_query())
        {
            self.begin(word);
        }
    }

    fn symbol(&mut self, symbol: &str) {
        match symbol {
            "(" => self.open(),
            ")" if self.deeper > 0 => self.deeper -= 1,
            ")" => self.frame = self.outer.pop().unwrap_or(self.frame),
            "," if self.frame.verb == Some(Verb::With) => self.expect(Expects::Definition),
            "," if self.frame.list => self.expect(Expects::Name),
            ";" => self.end_statement(),
            _ => {}
        }
    }

    fn open(&mut self) {
        if self.outer.len() >= MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        let Frame {
            verb,
            expects,
            list,
            ..
        } = self.frame;
        let lists_tables = expects == Expects::Name && list && verb != Some(Verb::Maintain);
        let inner = match lists_tables {
            true => self.frame,
            false => Frame::expecting(Expects::Query),
        };
        self.expect(Expects::Nothing);
        self.outer.push(self.frame);
        self.frame = inner;
    }

    fn end_statement(&mut self) {
        self.statements.extend(self.statement.take());
        self.frame = Frame::STATEMENT;
        self.outer.clear();
        self.defined.clear();
        self.deeper = 0;
    }

    fn identifier(&mut self, text: &str) {
        match self.frame.expects {
            Expects::Name => {
                self.name = Some(Name {
                    text: text.to_owned(),
                    dot: false,
                });
            }
            Expects::Definition => {
                self.defined.push(text.to_ascii_lowercase());
                self.expect(Expects::Nothing);
            }
            _ => self.expect(Expects::Nothing),
        }
    }

    /// Adds `token` to the name that is being read, or finishes that.
    fn continues_name(&mut self, token: Token<'_>) -> bool {
        let Some(name) = &mut self.name else {
            return false;
        };
        match token.kind {
            Kind::Symbol if token.text == "." && !name.dot => name.text.push('.'),
            Kind::Name if name.dot => name.text.push_str(token.text),
            Kind::Quoted if name.dot => name.text.push_str(unquoted(token.text)),
            _ => {
                self.finish_name(token.text == "(");
                return false;
            }
        }
        name.dot = !name.dot;
        true
    }

    fn finish_name(&mut self, is_called: bool) {
        let Some(mut name) = self.name.take() else {
            return;
        };
        if name.dot {
            name.text.pop();
        }
        let text = name.text;
        let Frame {
            verb, list, tables, ..
        } = self.frame;
        self.expect(Expects::Nothing);
        let kind = self.last_verb().rsplit(' ').next().unwrap_or_default();
        self.opaque = verb == Some(Verb::Define) && words::has_body(kind);
        let is_function = is_called && list && verb != Some(Verb::Maintain);
        if is_function
            || text.len() > MAX_SUMMARY
            || self.defined.contains(&text.to_ascii_lowercase())
        {
            return;
        }
        self.push_target(&text);
        if tables && !self.tables.contains(&text) {
            self.tables.push(text);
        }
    }

    fn push_verb(&mut self, verb: &str) {
        if self.last_verb() == verb {
            return;
        }
        let at = self.summary.len() + usize::from(!self.summary.is_empty());
        if self.push(verb) {
            self.verb_at = at;
        }
    }

    /// Adds a word to the verb, which nothing follows as yet.
    fn extend_verb(&mut self, word: &str) {
        self.push(word);
        if let Some((name, Verb::Define | Verb::Other)) = &mut self.statement {
            name.push(' ');
            name.push_str(word);
        }
    }

    fn push_target(&mut self, target: &str) {
        let already = self.last_verb().split(' ').any(|named| named == target);
        if !already {
            self.push(target);
        }
    }

    fn push(&mut self, word: &str) -> bool {
        let space = usize::from(!self.summary.is_empty());
        let fits = self.summary.len() + space + word.len() <= MAX_SUMMARY;
        if fits {
            self.summary.push_str(if space == 0 { "" } else { " " });
            self.summary.push_str(word);
        }
        fits
    }

    /// The last verb with what it names.
    fn last_verb(&self) -> &str {
        self.summary.get(self.verb_at..).unwrap_or_default()
    }

    fn expect(&mut self, expects: Expects) {
        self.frame.expects = expects;
    }
}

/// Longer words are no keywords.
const LONGEST_WORD: usize = 20;

/// `word` in upper case, or nothing if it is no keyword for its length or letters.
fn upper_case<'b>(word: &str, buffer: &'b mut [u8; LONGEST_WORD]) -> &'b str {
    let Some(buffer) = buffer.get_mut(..word.len()) else {
        return "";
    };
    buffer.copy_from_slice(word.as_bytes());
    buffer.make_ascii_uppercase();
    match str::from_utf8(buffer) {
        Ok(word) if word.is_ascii() => word,
        _ => "",
    }
}

/// A quoted identifier without its quotes, if it can be read without them.
fn unquoted(identifier: &str) -> &str {
    let inner = identifier
        .get(1..identifier.len().saturating_sub(1))
        .unwrap_or_default();
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii();
    match !inner.is_empty() && inner.bytes().all(is_plain) {
        true => inner,
        false => identifier,
    }
}

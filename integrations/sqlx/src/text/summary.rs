use super::Dialect;
use super::common::{Only, Statements};
use super::definitions::Definitions;
use super::frame::{Expects, Frame};
use super::token::{Kind, Token};
use super::words::{self, LONGEST_WORD, Verb};

/// The longest summary, in bytes, by OpenTelemetry's rule for `db.query.summary`.
pub const MAX_SUMMARY: usize = 255;

/// Deeper nested parentheses are skipped.
const MAX_DEPTH: usize = 64;

/// The operations of a query, and their targets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) text: String,
    pub(super) operation: Option<String>,
    pub(super) collection: Option<String>,
    /// The stored procedure, if the query calls one.
    pub(super) procedure: Option<String>,
    pub(super) changes_rows: bool,
}

/// Builds the summary of a query from its tokens: the verbs and the tables that they name, in order.
///
/// It is not a parser: it recognises the places where SQL names tables, and skips all other tokens.
#[derive(Debug)]
pub(super) struct Summariser {
    summary: String,
    /// Where the last verb starts in `summary`.
    verb_at: usize,
    frame: Frame,
    /// The frames around the open parentheses, from the statement inwards.
    outer: Vec<Frame>,
    /// The number of open parentheses beyond [`MAX_DEPTH`].
    deeper: usize,
    name: Option<Name>,
    previous: Previous,
    /// Whether the rest of the text is the body of a program.
    opaque: bool,
    statement: Option<(String, Verb)>,
    statements: Statements,
    table: Only,
    procedure: Only,
    /// The tables that `WITH` defines.
    defined: Definitions,
    recurses: bool,
    recurses_anyway: bool,
}

/// The previous token, if it affects the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Previous {
    As,
    Distinct,
    Dot,
    Other,
}

/// A name that may continue: `schema.` before `table`.
#[derive(Debug)]
struct Name {
    text: String,
    dot: bool,
}

impl Summariser {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            summary: String::new(),
            verb_at: 0,
            frame: Frame::STATEMENT,
            outer: Vec::new(),
            deeper: 0,
            name: None,
            previous: Previous::Other,
            opaque: false,
            statement: None,
            statements: Statements::default(),
            table: Only::None,
            procedure: Only::None,
            defined: Definitions::default(),
            recurses: false,
            recurses_anyway: dialect.recurses_anyway(),
        }
    }

    /// Reads a token. Returns whether it names a table.
    pub(super) fn token(&mut self, token: Token<'_>) -> bool {
        if matches!(token.kind, Kind::Comment | Kind::Space) || self.opaque {
            return false;
        }
        if self.continues_name(token) {
            return true;
        }
        let names = match token.kind {
            // After a dot, a word is never a keyword.
            Kind::Name if self.previous == Previous::Dot => self.identifier(token.text),
            Kind::Name => self.word(token.text),
            Kind::Quoted => self.identifier(words::unquoted(token.text)),
            Kind::Doubtful if self.frame.tables => self.identifier(words::unquoted(token.text)),
            Kind::Symbol => self.symbol(token.text),
            Kind::Comment | Kind::Doubtful | Kind::Literal | Kind::Parameter | Kind::Space => {
                self.expect(Expects::Nothing)
            }
        };
        self.previous = match token.kind {
            Kind::Symbol if token.text == "." => Previous::Dot,
            Kind::Name if token.text.eq_ignore_ascii_case("AS") => Previous::As,
            Kind::Name if token.text.eq_ignore_ascii_case("DISTINCT") => Previous::Distinct,
            _ => Previous::Other,
        };
        names
    }

    pub(super) fn finish(mut self) -> Summary {
        self.finish_name(false);
        self.pass_statement();
        Summary {
            text: self.summary,
            changes_rows: self.statements.change_rows(),
            operation: self.statements.operation(),
            collection: self.table.get(),
            procedure: self.procedure.get(),
        }
    }

    fn pass_statement(&mut self) {
        if let Some((name, verb)) = self.statement.take() {
            self.statements.add(&name, verb);
        }
    }

    fn word(&mut self, text: &str) -> bool {
        let mut buffer = [0; LONGEST_WORD];
        let word = words::upper_case(text, &mut buffer);
        let Frame { verb, expects, .. } = self.frame;
        match expects {
            Expects::Statement | Expects::Query => self.begin(word),
            Expects::Definition if word == "RECURSIVE" => {
                self.recurses = true;
                false
            }
            Expects::Definition => self.identifier(text),
            Expects::Kind => self.object_kind(word),
            Expects::Phrase => self.phrase(word),
            _ if word == "SELECT"
                && !matches!(verb, Some(Verb::Call | Verb::Invoke | Verb::Other)) =>
            {
                self.begin(word)
            }
            Expects::Name if words::is_modifier(verb, word) => false,
            Expects::Name if !words::ends_tables(word) => self.identifier(text),
            _ => self.clause(word),
        }
    }

    /// Reads a word at a place where a statement or a parenthesised query may begin.
    fn begin(&mut self, word: &str) -> bool {
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
        if self.frame.verb == Some(Verb::With) {
            self.defined.complete(self.outer.len());
        }
        self.frame = Frame::of(verb, name);
        if verb == Verb::With {
            self.recurses = self.recurses_anyway;
            return false;
        }
        self.push_verb(name);
        if self.statement.is_none() && self.outer.iter().all(|outer| outer.verb.is_none()) {
            self.statement = Some((name.to_owned(), verb));
        }
        false
    }

    /// `REPLACE` and `INSERT` are also functions; only `WITH` accepts statements that change rows.
    fn may_stand_in_parentheses(&self, word: &str, verb: Verb) -> bool {
        let outer = self.outer.last().and_then(|outer| outer.verb);
        matches!(verb, Verb::Select | Verb::With)
            || verb.changes_rows() && word != "REPLACE" && outer == Some(Verb::With)
    }

    fn object_kind(&mut self, word: &str) -> bool {
        if let Some(kind) = words::object_kind(word) {
            self.extend_verb(kind);
            self.frame.expects = Expects::Name;
            self.frame.tables = matches!(kind, "TABLE" | "VIEW");
        }
        false
    }

    fn phrase(&mut self, word: &str) -> bool {
        match (self.last_verb(), word) {
            ("START", "TRANSACTION") => self.extend_verb(word),
            ("ROLLBACK", "TO") => self.extend_verb("TO SAVEPOINT"),
            ("ROLLBACK", "TRANSACTION" | "WORK") => return false,
            _ => {}
        }
        self.expect(Expects::Nothing)
    }

    /// Reads a word inside a statement.
    fn clause(&mut self, word: &str) -> bool {
        let verb = self.frame.verb;
        let lists_tables = matches!(verb, Some(Verb::Delete | Verb::Select | Verb::Update));
        let names_tables = match word {
            "FROM" => lists_tables && self.previous != Previous::Distinct,
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
        } else if self.takes_query(word) {
            self.begin(word);
        }
        false
    }

    /// Whether `word` begins the statement's main query.
    fn takes_query(&self, word: &str) -> bool {
        let Some((_, begins)) = words::verb(word).filter(|(_, begins)| begins.is_query()) else {
            return false;
        };
        match self.frame.verb {
            Some(Verb::Explain | Verb::With) => true,
            Some(Verb::Insert) => begins == Verb::With,
            Some(Verb::Define) => begins == Verb::With && self.previous == Previous::As,
            _ => false,
        }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        match symbol {
            "(" => self.open(),
            ")" if self.deeper > 0 => self.deeper -= 1,
            ")" => self.close(),
            "," if self.frame.verb == Some(Verb::With) => {
                self.defined.complete(self.outer.len());
                self.frame.expects = Expects::Definition;
            }
            "," if self.frame.list => self.frame.expects = Expects::Name,
            ";" => self.end_statement(),
            _ => {}
        }
        false
    }

    fn close(&mut self) {
        if let Some(outer) = self.outer.pop() {
            self.frame = outer;
            self.defined.leave(self.outer.len());
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
        self.pass_statement();
        self.frame = Frame::STATEMENT;
        self.outer.clear();
        self.defined.clear();
        self.deeper = 0;
    }

    fn identifier(&mut self, text: &str) -> bool {
        match self.frame.expects {
            Expects::Name => {
                self.name = Some(Name {
                    text: text.to_owned(),
                    dot: false,
                });
                true
            }
            Expects::Definition => {
                self.defined.add(text, self.outer.len(), self.recurses);
                self.frame.expects = Expects::Nothing;
                true
            }
            _ => self.expect(Expects::Nothing),
        }
    }

    /// Adds `token` to the current name, or finishes the name.
    fn continues_name(&mut self, token: Token<'_>) -> bool {
        let Some(name) = &mut self.name else {
            return false;
        };
        match token.kind {
            Kind::Symbol if token.text == "." && !name.dot => name.text.push('.'),
            Kind::Name if name.dot => name.text.push_str(token.text),
            Kind::Doubtful | Kind::Quoted if name.dot => {
                name.text.push_str(words::unquoted(token.text))
            }
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
        self.opaque = verb == Some(Verb::Define) && words::has_body(self.last_verb());
        let is_function = is_called && list && verb != Some(Verb::Maintain);
        if is_function || text.len() > MAX_SUMMARY || self.defined.contain(&text) {
            return;
        }
        self.push_target(&text);
        if tables {
            self.table.add(&text);
        } else if verb == Some(Verb::Call) {
            self.procedure.add(&text);
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

    /// Adds a word to the verb while no name follows it.
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

    /// The last verb with the names after it.
    fn last_verb(&self) -> &str {
        self.summary.get(self.verb_at..).unwrap_or_default()
    }

    /// Sets the next expectation. Returns false, since the token names no table.
    fn expect(&mut self, expects: Expects) -> bool {
        self.frame.expects = expects;
        false
    }
}

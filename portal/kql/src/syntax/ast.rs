//! The syntax tree of a query.

use std::sync::Arc;

use super::Span;
use crate::types::Type;
use crate::value::Value;

/// A name with its place.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Ast {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) depth: u16,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Literal(Value, Type),
    /// `datetime()`.
    Now,
    Name(Arc<str>),
    /// `$left`, `$right`, `$table`.
    Special(Arc<str>),
    Star,
    Call(Call),
    Negate(Box<Ast>),
    Binary(Binary, Box<Ast>, Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Between {
        negated: bool,
        value: Box<Ast>,
        low: Box<Ast>,
        high: Box<Ast>,
    },
    In {
        negated: bool,
        fold: bool,
        value: Box<Ast>,
        list: Vec<Ast>,
    },
    HasList {
        all: bool,
        value: Box<Ast>,
        list: Vec<Ast>,
    },
    Text {
        op: TextOp,
        negated: bool,
        value: Box<Ast>,
        needle: Box<Ast>,
    },
    /// `column:"text"` in `search`.
    Colon(Box<Ast>, Box<Ast>),
    Member(Box<Ast>, Arc<str>),
    Index(Box<Ast>, Box<Ast>),
    /// `typeof(long)`.
    TypeOf(Type),
    Query(Box<Query>),
    Lambda(Arc<Lambda>),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Name,
    pub(crate) args: Vec<Arg>,
}

#[derive(Debug)]
pub(crate) struct Arg {
    pub(crate) name: Option<Name>,
    pub(crate) value: Ast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    NotEqual,
    EqualFold,
    NotEqualFold,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Binary {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::EqualFold => "=~",
            Self::NotEqualFold => "!~",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

/// A comparison of texts; `fold` ignores case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextOp {
    pub(crate) kind: TextKind,
    pub(crate) fold: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    Contains,
    StartsWith,
    EndsWith,
    Has,
    HasPrefix,
    HasSuffix,
    Matches,
}

/// `name = expression`, `(a, b) = expression` or an expression.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) name: Option<Name>,
    pub(crate) value: Ast,
}

/// A name with wildcards.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
    pub(crate) wild: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) name: Name,
    pub(crate) ty: Type,
}

#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) source: Source,
    pub(crate) operators: Vec<Operator>,
}

#[derive(Debug)]
pub(crate) enum Source {
    Expression(Ast),
    Datatable {
        columns: Vec<Typed>,
        values: Vec<Ast>,
    },
    Print(Vec<Item>),
    Range {
        name: Name,
        from: Ast,
        to: Ast,
        step: Ast,
    },
    Union(Union),
    Search(Search),
    Find(Find),
}

#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) inner: bool,
    pub(crate) with_source: Option<Name>,
    pub(crate) fuzzy: bool,
    pub(crate) legs: Vec<Leg>,
}

#[derive(Debug)]
pub(crate) enum Leg {
    Wild(Pattern),
    Table(Ast),
}

#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) case_sensitive: bool,
    pub(crate) tables: Vec<Leg>,
    pub(crate) predicate: Ast,
}

#[derive(Debug)]
pub(crate) struct Find {
    pub(crate) with_source: Option<Name>,
    pub(crate) tables: Vec<Leg>,
    pub(crate) predicate: Ast,
    pub(crate) project: Option<Vec<Item>>,
}

#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) kind: OperatorKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    RightSemi,
    LeftAnti,
    RightAnti,
}

#[derive(Debug)]
pub(crate) struct SortKey {
    pub(crate) value: Ast,
    pub(crate) ascending: bool,
    pub(crate) nulls_first: Option<bool>,
}

#[derive(Debug)]
pub(crate) enum OperatorKind {
    Where(Ast),
    Extend(Vec<Item>),
    Project(Vec<Item>),
    ProjectAway(Vec<Pattern>),
    ProjectKeep(Vec<Pattern>),
    ProjectRename(Vec<(Name, Name)>),
    ProjectReorder(Vec<(Pattern, Option<bool>)>),
    Summarize {
        aggregates: Vec<Item>,
        by: Vec<Item>,
        has_by: bool,
    },
    Count,
    Distinct(Vec<Ast>),
    Sort(Vec<SortKey>),
    Top {
        count: Ast,
        key: Vec<SortKey>,
    },
    Take(Ast),
    Join {
        kind: JoinKind,
        right: Ast,
        on: Vec<Ast>,
        lookup: bool,
    },
    Union(Union),
    Render(Vec<(Arc<str>, Value)>),
    As(Name),
    Serialize(Vec<Item>),
    GetSchema,
    MvExpand(MvExpand),
    Parse(Parse),
    MakeSeries(Box<MakeSeries>),
    Evaluate {
        call: Call,
        schema: Option<Vec<Typed>>,
    },
    Invoke(Call),
    Search(Search),
}

#[derive(Debug)]
pub(crate) struct MvExpand {
    pub(crate) arrays: bool,
    pub(crate) item_index: Option<Name>,
    pub(crate) columns: Vec<(Item, Option<Type>)>,
    pub(crate) limit: Option<Ast>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParseKind {
    Simple,
    Relaxed,
    Regex,
}

#[derive(Debug)]
pub(crate) struct Parse {
    pub(crate) kind: ParseKind,
    pub(crate) flags: Arc<str>,
    pub(crate) drops: bool,
    pub(crate) value: Ast,
    pub(crate) parts: Vec<ParsePart>,
}

#[derive(Debug, Clone)]
pub(crate) enum ParsePart {
    Star,
    Text(Arc<str>, Span),
    Column(Typed),
}

#[derive(Debug)]
pub(crate) struct MakeSeries {
    pub(crate) aggregates: Vec<(Item, Option<Ast>)>,
    pub(crate) axis: Item,
    pub(crate) from: Option<Ast>,
    pub(crate) to: Option<Ast>,
    pub(crate) step: Ast,
    pub(crate) by: Vec<Item>,
    /// `in range(start, stop, step)`.
    pub(crate) in_range: bool,
    pub(crate) non_empty: bool,
}

#[derive(Debug)]
pub(crate) struct Lambda {
    pub(crate) params: Vec<Param>,
    pub(crate) body: Program,
}

#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: Name,
    pub(crate) kind: ParamKind,
}

#[derive(Debug)]
pub(crate) enum ParamKind {
    Scalar {
        ty: Type,
        default: Option<Ast>,
    },
    /// `None`: any columns.
    Table(Option<Vec<Typed>>),
}

#[derive(Debug)]
pub(crate) struct Let {
    pub(crate) name: Name,
    pub(crate) value: Arc<Ast>,
}

/// `let` statements and one expression.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) lets: Vec<Let>,
    pub(crate) result: Arc<Ast>,
    pub(crate) notes: Vec<String>,
}

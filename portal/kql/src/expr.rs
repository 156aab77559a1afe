//! Bound expressions: columns by index, every node with its type.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::functions::Function;
use crate::syntax::ast::TextOp;
use crate::types::Type;
use crate::value::Value;

#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) node: Node,
    pub(crate) ty: Type,
    pub(crate) depth: u16,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Const(Value),
    Column(usize),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Compare(Compare, Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Text {
        op: TextOp,
        negated: bool,
        value: Box<Expr>,
        needle: Box<Expr>,
    },
    InSet {
        negated: bool,
        fold: bool,
        value: Box<Expr>,
        set: Arc<InSet>,
    },
    Member(Box<Expr>, Arc<str>),
    Index(Box<Expr>, Box<Expr>),
    /// Converts to the type of the expression.
    Convert(Box<Expr>),
    Call(&'static Function, Vec<Expr>),
    /// Condition, value, condition, value, …, otherwise.
    Case(Vec<Expr>),
    Window(Window, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Functions over several rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Previous,
    Next,
    RowNumber,
    CumulativeSum,
    RankDense,
    RankMin,
    Session,
}

/// The constants of `in`: keys of values, with folded strings if case is ignored.
#[derive(Debug, Default)]
pub(crate) struct InSet {
    pub(crate) texts: HashSet<Arc<str>>,
    pub(crate) keys: HashSet<Vec<u8>>,
    pub(crate) values: Vec<Value>,
}

impl Expr {
    pub(crate) fn new(node: Node, ty: Type) -> Self {
        let mut depth = 0;
        node.each_child(&mut |child| depth = depth.max(child.depth));
        Self {
            node,
            ty,
            depth: depth.saturating_add(1),
        }
    }

    pub(crate) fn constant(value: Value, ty: Type) -> Self {
        Self::new(Node::Const(value), ty)
    }

    pub(crate) fn column(index: usize, ty: Type) -> Self {
        Self::new(Node::Column(index), ty)
    }

    pub(crate) fn as_const(&self) -> Option<&Value> {
        match &self.node {
            Node::Const(value) => Some(value),
            _ => None,
        }
    }

    /// Calls the closure for this node and all of its descendants.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        self.node.each_child(&mut |child| child.walk(visit));
    }

    /// Calls the closure for the children.
    pub(crate) fn walk_children(&self, visit: &mut dyn FnMut(&Self)) {
        self.node.each_child(visit);
    }

    pub(crate) fn size(&self) -> usize {
        let mut nodes = 0;
        self.walk(&mut |_| nodes += 1);
        nodes
    }

    pub(crate) fn has_window(&self) -> bool {
        let mut found = false;
        self.walk(&mut |expr| found |= matches!(expr.node, Node::Window(..)));
        found
    }

    /// Marks the columns that the expression reads.
    pub(crate) fn columns(&self, used: &mut [bool]) {
        self.walk(&mut |expr| {
            if let Node::Column(index) = expr.node
                && let Some(flag) = used.get_mut(index)
            {
                *flag = true;
            }
        });
    }

    /// Replaces columns by expressions, for moving a filter below a projection.
    pub(crate) fn substituted(&self, with: &[Self]) -> Option<Self> {
        let mut copy = self.clone();
        copy.substitute(with)?;
        Some(copy)
    }

    fn substitute(&mut self, with: &[Self]) -> Option<()> {
        if let Node::Column(index) = self.node {
            let replacement = with.get(index)?;
            if !matches!(replacement.node, Node::Column(_) | Node::Const(_)) {
                return None;
            }
            *self = replacement.clone();
            return Some(());
        }
        let mut done = Some(());
        self.node.each_child_mut(&mut |child| {
            if done.is_some() {
                done = child.substitute(with);
            }
        });
        done
    }
}

impl Node {
    fn each_child(&self, visit: &mut dyn FnMut(&Expr)) {
        match self {
            Self::Const(_) | Self::Column(_) => {}
            Self::Arithmetic(_, a, b) | Self::Compare(_, a, b) | Self::Index(a, b) => {
                visit(a);
                visit(b);
            }
            Self::Text { value, needle, .. } => {
                visit(value);
                visit(needle);
            }
            Self::InSet { value, .. } | Self::Member(value, _) | Self::Convert(value) => {
                visit(value)
            }
            Self::And(items)
            | Self::Or(items)
            | Self::Call(_, items)
            | Self::Case(items)
            | Self::Window(_, items) => {
                items.iter().for_each(visit);
            }
        }
    }

    pub(crate) fn each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        match self {
            Self::Const(_) | Self::Column(_) => {}
            Self::Arithmetic(_, a, b) | Self::Compare(_, a, b) | Self::Index(a, b) => {
                visit(a);
                visit(b);
            }
            Self::Text { value, needle, .. } => {
                visit(value);
                visit(needle);
            }
            Self::InSet { value, .. } | Self::Member(value, _) | Self::Convert(value) => {
                visit(value)
            }
            Self::And(items)
            | Self::Or(items)
            | Self::Call(_, items)
            | Self::Case(items)
            | Self::Window(_, items) => {
                items.iter_mut().for_each(visit);
            }
        }
    }
}

impl InSet {
    pub(crate) fn new(values: Vec<Value>, fold: bool) -> Self {
        let mut set = Self::default();
        for value in &values {
            match value {
                Value::String(text) if fold => {
                    set.texts.insert(Arc::from(text.to_lowercase()));
                }
                Value::String(text) => {
                    set.texts.insert(text.clone());
                }
                Value::Null => {}
                other => {
                    let mut key = Vec::new();
                    other.write_key(&mut key);
                    set.keys.insert(key);
                }
            }
        }
        set.values = values;
        set
    }

    pub(crate) fn contains(&self, value: &Value, fold: bool, key: &mut Vec<u8>) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) if fold => self.texts.contains(&*text.to_lowercase()),
            Value::String(text) => self.texts.contains(text),
            other => {
                key.clear();
                other.write_key(key);
                self.keys.contains(key)
            }
        }
    }
}

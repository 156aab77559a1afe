//! The scalar types, and columns of a schema.

use std::fmt;
use std::sync::Arc;

/// A scalar type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A signed 32-bit integer.
    Int,
    /// A signed 64-bit integer.
    Long,
    /// A double.
    Real,
    /// A decimal number of up to 38 digits.
    Decimal,
    /// UTF-8 text, never null.
    String,
    /// Ticks of 100 ns since 0001-01-01 UTC.
    DateTime,
    /// Ticks of 100 ns.
    TimeSpan,
    /// A 128-bit identifier.
    Guid,
    /// A value of any other type, an array or a bag.
    Dynamic,
}

impl Type {
    /// Kusto's name, such as `long`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::Decimal => "decimal",
            Self::String => "string",
            Self::DateTime => "datetime",
            Self::TimeSpan => "timespan",
            Self::Guid => "guid",
            Self::Dynamic => "dynamic",
        }
    }

    /// The name of the .NET type, for `getschema`.
    #[must_use]
    pub fn clr_name(self) -> &'static str {
        match self {
            Self::Bool => "System.SByte",
            Self::Int => "System.Int32",
            Self::Long => "System.Int64",
            Self::Real => "System.Double",
            Self::Decimal => "System.Data.SqlTypes.SqlDecimal",
            Self::String => "System.String",
            Self::DateTime => "System.DateTime",
            Self::TimeSpan => "System.TimeSpan",
            Self::Guid => "System.Guid",
            Self::Dynamic => "System.Object",
        }
    }

    /// The type with this name or synonym.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "bool" | "boolean" => Self::Bool,
            "int" | "int32" => Self::Int,
            "long" | "int64" => Self::Long,
            "real" | "double" => Self::Real,
            "decimal" => Self::Decimal,
            "string" => Self::String,
            "datetime" | "date" => Self::DateTime,
            "timespan" | "time" => Self::TimeSpan,
            "guid" | "uuid" | "uniqueid" => Self::Guid,
            "dynamic" => Self::Dynamic,
            _ => return None,
        })
    }

    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::Int | Self::Long)
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Long | Self::Real | Self::Decimal)
    }

    /// The wider of two numeric types.
    pub(crate) fn wider(self, other: Self) -> Self {
        fn rank(ty: Type) -> u8 {
            match ty {
                Type::Int => 0,
                Type::Long => 1,
                Type::Real => 2,
                _ => 3,
            }
        }
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The name, case-sensitive.
    pub name: Arc<str>,
    /// The type.
    pub ty: Type,
    /// Further names under which queries can refer to the column.
    pub aliases: Vec<Arc<str>>,
    /// Whether comparisons treat `true`, `"True"`, `1` and similar constants alike, as users write them for the
    /// column `success`.
    pub lenient_bool: bool,
}

impl Field {
    /// Makes a column without further names.
    #[must_use]
    pub fn new(name: &str, ty: Type) -> Self {
        Self {
            name: Arc::from(name),
            ty,
            aliases: Vec::new(),
            lenient_bool: false,
        }
    }

    /// Adds a further name.
    #[must_use]
    pub fn with_alias(mut self, alias: &str) -> Self {
        self.aliases.push(Arc::from(alias));
        self
    }

    /// Marks a text or bool that is compared as a bool; see [`Self::lenient_bool`].
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient_bool = true;
        self
    }

    pub(crate) fn renamed(&self, name: &str) -> Self {
        Self {
            name: Arc::from(name),
            ty: self.ty,
            aliases: Vec::new(),
            lenient_bool: self.lenient_bool,
        }
    }
}

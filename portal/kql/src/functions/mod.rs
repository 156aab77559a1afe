//! The scalar functions: names, signatures, bodies.

mod arrays;
mod bags;
mod conditions;
mod context;
mod hash;
mod math;
mod path;
mod signature;
mod text;
mod times;
mod unsupported;
mod web;

use std::sync::LazyLock;

use hashbrown::HashMap;

pub(crate) use arrays::{MAX_ARRAY, Set, column_name};
pub(crate) use context::{Context, compile};
pub(crate) use math::bin_of;
pub(crate) use signature::{Outcome, Signature, signatures};
pub(crate) use unsupported::{UNSUPPORTED, UNSUPPORTED_PLUGINS};

use crate::value::Value;

pub(crate) type Body = fn(&mut Context, &[Value]) -> Value;

/// The default name of a column that contains the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `Column1`.
    Counted,
    /// The name of the first argument.
    First,
    /// `strlen_x`: this prefix, and the name of the first argument.
    Prefixed(&'static str),
}

/// A function that computes one value from values.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The forms, such as `s,l,[l] -> s; d -> d`.
    pub(crate) signature: &'static str,
    pub(crate) naming: Naming,
    pub(crate) body: Body,
}

impl Function {
    const fn new(name: &'static str, signature: &'static str, body: Body) -> Self {
        Self {
            name,
            signature,
            naming: Naming::Counted,
            body,
        }
    }

    const fn named(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    const fn first(self) -> Self {
        self.named(Naming::First)
    }

    /// Whether two calls with the same arguments may return different results.
    pub(crate) fn is_random(&self) -> bool {
        matches!(self.name, "rand" | "new_guid")
    }
}

static FUNCTIONS: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    [
        arrays::FUNCTIONS,
        bags::FUNCTIONS,
        conditions::FUNCTIONS,
        hash::FUNCTIONS,
        math::FUNCTIONS,
        text::FUNCTIONS,
        times::FUNCTIONS,
        web::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
    .map(|function| (function.name, function))
    .collect()
});

/// The function with this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let name = match name {
        "pack" | "pack_dictionary" => "bag_pack",
        "todynamic" | "toobject" => "parse_json",
        "floor" => "bin",
        "extractjson" => "extract_json",
        "getmonth" => "monthofyear",
        "weekofyear" => "week_of_year",
        "parseurl" => "parse_url",
        "parseurlquery" => "parse_urlquery",
        "parsejson" => "parse_json",
        "parseversion" | "parse_ver" => "parse_version",
        "base64_encodestring" => "base64_encode_tostring",
        "base64_decodestring" => "base64_decode_tostring",
        "dayofmonth" | "getday" => "dayofmonth",
        "make_dictionary" => "bag_pack",
        "array_strcat" => "strcat_array",
        "ceil" => "ceiling",
        "notnull" => "isnotnull",
        "notempty" => "isnotempty",
        other => other,
    };
    FUNCTIONS.get(name).copied()
}

/// The names, in any order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS
        .keys()
        .copied()
        .filter(|name| !name.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_can_be_read() {
        for function in FUNCTIONS.values() {
            assert!(
                !signatures(function.signature).is_empty(),
                "{}",
                function.name
            );
            assert!(!UNSUPPORTED.contains(&function.name), "{}", function.name);
        }
    }
}

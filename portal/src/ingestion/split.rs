use std::fmt;

use serde::Deserializer;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::ingestion::MAX_ITEMS;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One item of a body: its JSON, or the parse error.
pub(super) type Piece<'a> = Result<&'a RawValue, serde_json::Error>;

/// The reason why a body has no items.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SplitError {
    #[error("body is empty")]
    Empty,
    #[error("body is not a JSON array: {0}")]
    NotAnArray(#[source] serde_json::Error),
    #[error("body has more than {MAX_ITEMS} items")]
    TooManyItems,
}

/// Splits a body into items: a JSON array, one object, or one value per line.
///
/// An invalid line affects only itself; an array is parsed as a whole.
pub(super) fn split(body: &[u8]) -> Result<Vec<Piece<'_>>, SplitError> {
    let body = body
        .strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(body)
        .trim_ascii();
    match body.first() {
        None => Err(SplitError::Empty),
        Some(b'[') => array(body),
        Some(_) => match serde_json::from_slice(body) {
            Ok(object) => Ok(vec![Ok(object)]),
            Err(_) => lines(body),
        },
    }
}

fn array(body: &[u8]) -> Result<Vec<Piece<'_>>, SplitError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut items = Vec::new();
    let read = deserializer
        .deserialize_seq(Items(&mut items))
        .and_then(|()| deserializer.end());
    match read {
        _ if items.len() > MAX_ITEMS => Err(SplitError::TooManyItems),
        Ok(()) => Ok(items.into_iter().map(Ok).collect()),
        Err(error) => Err(SplitError::NotAnArray(error)),
    }
}

fn lines(body: &[u8]) -> Result<Vec<Piece<'_>>, SplitError> {
    let pieces: Vec<_> = body
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(MAX_ITEMS + 1)
        .map(serde_json::from_slice)
        .collect();
    if pieces.len() > MAX_ITEMS {
        return Err(SplitError::TooManyItems);
    }
    Ok(pieces)
}

/// Collects the elements of an array, up to the first one beyond [`MAX_ITEMS`].
struct Items<'a, 'b>(&'b mut Vec<&'a RawValue>);

impl<'de> Visitor<'de> for Items<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(item) = access.next_element()? {
            self.0.push(item);
            if self.0.len() > MAX_ITEMS {
                return Err(serde::de::Error::custom("too many items"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(body: &str) -> Vec<Option<String>> {
        split(body.as_bytes())
            .unwrap()
            .into_iter()
            .map(|piece| piece.ok().map(|raw| raw.get().to_owned()))
            .collect()
    }

    #[test]
    fn all_forms_of_a_body_give_the_same_items() {
        let expected = [Some("{\"a\":1}".to_owned()), Some("{\"b\":2}".to_owned())];
        for body in [
            "[{\"a\":1},{\"b\":2}]",
            " \r\n[ {\"a\":1} , {\"b\":2} ] \n",
            "{\"a\":1}\n{\"b\":2}",
            "{\"a\":1}\r\n{\"b\":2}\r\n",
            "\n\n{\"a\":1}\n\n  \r\n{\"b\":2}\n\n",
            "\u{feff}{\"a\":1}\n{\"b\":2}",
            "\u{feff}[{\"a\":1},{\"b\":2}]",
        ] {
            assert_eq!(texts(body), expected, "{body:?}");
        }
    }

    #[test]
    fn one_object_may_span_lines() {
        assert_eq!(
            texts("{\n  \"a\": 1\n}\n"),
            [Some("{\n  \"a\": 1\n}".to_owned())]
        );
    }

    #[test]
    fn a_line_that_is_not_json_spoils_only_itself() {
        assert_eq!(
            texts("{\"a\":1}\n{\"b\":\n{\"c\":3}"),
            [
                Some("{\"a\":1}".to_owned()),
                None,
                Some("{\"c\":3}".to_owned())
            ]
        );
    }

    #[test]
    fn bytes_that_are_not_text_spoil_only_their_line() {
        let pieces = split(b"{\"a\":1}\n{\"b\":\"\xff\"}").unwrap();
        assert!(pieces[0].is_ok());
        assert!(pieces[1].is_err());
    }

    #[test]
    fn a_broken_array_is_refused_as_a_whole() {
        for body in ["[", "[{\"a\":1},", "[{\"a\":1}] trailing", "[{\"a\":1},]"] {
            let result = split(body.as_bytes());
            assert!(matches!(result, Err(SplitError::NotAnArray(_))), "{body}");
        }
    }

    #[test]
    fn an_empty_body_is_reported_as_empty() {
        for body in ["", " \r\n\t ", "\u{feff}"] {
            let result = split(body.as_bytes());
            assert!(matches!(result, Err(SplitError::Empty)), "{body:?}");
        }
        assert!(split(b"[]").unwrap().is_empty());
    }

    #[test]
    fn more_items_than_the_limit_are_refused_in_both_forms() {
        let ones = vec!["1"; MAX_ITEMS];
        assert_eq!(split(ones.join("\n").as_bytes()).unwrap().len(), MAX_ITEMS);
        let array = format!("[{}]", ones.join(","));
        assert_eq!(split(array.as_bytes()).unwrap().len(), MAX_ITEMS);

        let lines = format!("{}\n1", ones.join("\n"));
        let array = format!("[{},1]", ones.join(","));
        for body in [lines, array] {
            let result = split(body.as_bytes());
            assert!(matches!(result, Err(SplitError::TooManyItems)));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = split(&body);
        }

        #[test]
        fn no_text_makes_it_panic(body in "[\\[\\]{}\",:\n\r 0-9a-z\u{e9}]{0,80}") {
            let _ = split(body.as_bytes());
        }
    }
}

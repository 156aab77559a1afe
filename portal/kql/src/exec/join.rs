//! `join` and `lookup`: the right side in a hash table, the left side streamed.

use hashbrown::{HashMap, HashSet};

use super::group::join_key;
use super::{BATCH_ROWS, Stream, drain, open};
use crate::batch::{Batch, Vector};
use crate::column::ColumnBuilder;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::plan::Join;
use crate::syntax::ast::JoinKind;
use crate::types::Type;
use crate::value::Value;

/// The maximum number of row pairs in one output batch.
const MAX_PAIRS: usize = 4 * BATCH_ROWS;

pub(super) struct Joining {
    join: Join,
    left: Box<dyn Stream>,
    right: Batch,
    table: HashMap<Box<[u8]>, Vec<u32>>,
    matched: Vec<bool>,
    /// The keys of the left side that were seen, for `innerunique`.
    seen: HashSet<Box<[u8]>>,
    current: Option<Current>,
    ended: bool,
}

/// A batch of the left side, with the progress of its join.
struct Current {
    batch: Batch,
    keys: Vec<Vector>,
    row: usize,
    /// The number of returned matches of the current row.
    given: usize,
}

impl Joining {
    pub(super) fn open(join: &Join, evaluator: &mut Evaluator) -> Result<Self> {
        let mut right = open(&join.right, evaluator)?;
        let right = drain(&mut *right, &join.right.types, evaluator)?;
        let keys: Result<Vec<Vector>> = join
            .right_keys
            .iter()
            .map(|key| evaluator.eval(key, &right))
            .collect();
        let keys = keys?;
        let mut table: HashMap<Box<[u8]>, Vec<u32>> = HashMap::new();
        let mut buffer = Vec::new();
        for row in crate::batch::indices(right.rows) {
            if join_key(&keys, row as usize, &mut buffer).is_some() {
                match table.get_mut(&*buffer) {
                    Some(rows) => rows.push(row),
                    None => {
                        table.insert(Box::from(&*buffer), vec![row]);
                    }
                }
            }
        }
        Ok(Self {
            left: open(&join.left, evaluator)?,
            matched: vec![false; right.rows],
            right,
            table,
            seen: HashSet::new(),
            current: None,
            ended: false,
            join: join.clone(),
        })
    }

    fn load(&mut self, evaluator: &mut Evaluator) -> Result<bool> {
        let Some(batch) = self.left.next(evaluator)? else {
            return Ok(false);
        };
        let keys: Result<Vec<Vector>> = self
            .join
            .left_keys
            .iter()
            .map(|key| evaluator.eval(key, &batch))
            .collect();
        self.current = Some(Current {
            batch,
            keys: keys?,
            row: 0,
            given: 0,
        });
        Ok(true)
    }

    /// The next pairs of the current batch; `None` on the right side is a row without a match.
    fn pairs(&mut self) -> (Vec<u32>, Vec<Option<u32>>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let Some(current) = &mut self.current else {
            return (left, right);
        };
        let kind = self.join.kind;
        let mut buffer = Vec::new();
        while current.row < current.batch.rows && left.len() < MAX_PAIRS {
            let row = u32::try_from(current.row).unwrap_or(u32::MAX);
            let has_key = join_key(&current.keys, current.row, &mut buffer).is_some();
            let matches: &[u32] = if has_key {
                self.table.get(&*buffer).map_or(&[], Vec::as_slice)
            } else {
                &[]
            };
            if kind == JoinKind::InnerUnique
                && current.given == 0
                && has_key
                && !self.seen.insert(Box::from(&*buffer))
            {
                current.row += 1;
                continue;
            }
            match kind {
                JoinKind::LeftSemi | JoinKind::LeftAnti => {
                    if matches.is_empty() == (kind == JoinKind::LeftAnti) {
                        left.push(row);
                        right.push(None);
                    }
                }
                JoinKind::RightSemi | JoinKind::RightAnti => {
                    matches
                        .iter()
                        .for_each(|row| self.matched[*row as usize] = true);
                }
                JoinKind::InnerUnique
                | JoinKind::Inner
                | JoinKind::LeftOuter
                | JoinKind::RightOuter
                | JoinKind::FullOuter => {
                    let room = MAX_PAIRS - left.len();
                    let part = matches.get(current.given..).unwrap_or_default();
                    for found in part.iter().take(room) {
                        left.push(row);
                        right.push(Some(*found));
                        self.matched[*found as usize] = true;
                    }
                    if part.len() > room {
                        current.given += room;
                        break;
                    }
                    if matches.is_empty()
                        && matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter)
                    {
                        left.push(row);
                        right.push(None);
                    }
                    current.given = 0;
                }
            }
            current.row += 1;
        }
        (left, right)
    }

    /// The rows of the right side that the join kind requires after the left side has ended.
    fn rest(&self) -> Vec<u32> {
        let wanted = match self.join.kind {
            JoinKind::RightSemi => true,
            JoinKind::RightAnti | JoinKind::RightOuter | JoinKind::FullOuter => false,
            _ => return Vec::new(),
        };
        crate::batch::indices(self.right.rows)
            .filter(|row| self.matched[*row as usize] == wanted)
            .collect()
    }

    fn shows_left(&self) -> bool {
        !matches!(self.join.kind, JoinKind::RightSemi | JoinKind::RightAnti)
    }
}

impl Stream for Joining {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        loop {
            evaluator.check()?;
            if self.ended {
                return Ok(None);
            }
            if self.current.is_none() && !self.load(evaluator)? {
                self.ended = true;
                let rest = self.rest();
                if rest.is_empty() {
                    return Ok(None);
                }
                let mut columns: Vec<Vector> = Vec::new();
                if self.shows_left() {
                    columns.extend(
                        self.join
                            .left
                            .types
                            .iter()
                            .map(|ty| Vector::Const(missing(*ty))),
                    );
                }
                for index in &self.join.right_columns {
                    columns.push(self.right.columns[*index].gather(&rest));
                }
                return Ok(Some(Batch {
                    columns,
                    rows: rest.len(),
                }));
            }
            let (left, right) = self.pairs();
            let Some(current) = &self.current else {
                continue;
            };
            let mut columns: Vec<Vector> = current
                .batch
                .columns
                .iter()
                .map(|column| column.gather(&left))
                .collect();
            for index in &self.join.right_columns {
                columns.push(gather_some(
                    &self.right.columns[*index],
                    self.join.right.types[*index],
                    &right,
                ));
            }
            if current.row >= current.batch.rows {
                self.current = None;
            }
            evaluator.hold(self.seen.len(), 0)?;
            if !left.is_empty() {
                return Ok(Some(Batch {
                    columns,
                    rows: left.len(),
                }));
            }
        }
    }
}

fn missing(ty: Type) -> Value {
    if ty == Type::String {
        Value::text("")
    } else {
        Value::Null
    }
}

fn gather_some(vector: &Vector, ty: Type, rows: &[Option<u32>]) -> Vector {
    if let Some(all) = rows.iter().copied().collect::<Option<Vec<u32>>>() {
        return vector.gather(&all);
    }
    let mut builder = ColumnBuilder::new(ty);
    for row in rows {
        builder.push(row.map_or(Value::Null, |row| vector.get(row as usize)));
    }
    builder.finish().into()
}

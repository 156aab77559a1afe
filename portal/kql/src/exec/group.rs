//! Groups rows by their keys.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::batch::Vector;
use crate::column::{Column, ColumnBuilder, Data};
use crate::types::Type;
use crate::value::write_text_key;

/// The maximum number of texts that are recognised by their address.
const MAX_KNOWN: usize = 4096;

/// Numbers the distinct keys in the order of first occurrence.
pub(super) struct Grouper {
    groups: HashMap<Box<[u8]>, u32>,
    builders: Vec<ColumnBuilder>,
    longs: HashMap<i64, u32>,
    /// Groups of texts by address. The texts are kept, so that their addresses are not reused.
    known: HashMap<usize, (u32, Arc<str>)>,
    count: usize,
    bytes: usize,
}

impl Grouper {
    pub(super) fn new(types: &[Type]) -> Self {
        Self {
            groups: HashMap::new(),
            builders: types.iter().map(|ty| ColumnBuilder::new(*ty)).collect(),
            longs: HashMap::new(),
            known: HashMap::new(),
            count: 0,
            bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The approximate memory.
    pub(super) fn size(&self) -> usize {
        self.bytes
    }

    /// The group of each row.
    pub(super) fn groups(&mut self, keys: &[Vector], rows: usize) -> Vec<u32> {
        if let [Vector::Column(column)] = keys
            && column.valid.is_none()
        {
            match &column.data {
                Data::Long(values) => return self.of_longs(column, values),
                Data::String(values) => return self.of_texts(values),
                _ => {}
            }
        }
        let mut buffer = Vec::new();
        (0..rows)
            .map(|row| {
                buffer.clear();
                for key in keys {
                    match key {
                        Vector::Column(column) => match &column.data {
                            Data::String(values) => {
                                // The same bytes as the key of a string value.
                                buffer.push(5);
                                write_text_key(&values[row], &mut buffer);
                            }
                            _ => column.get(row).write_key(&mut buffer),
                        },
                        Vector::Const(value) => value.write_key(&mut buffer),
                    }
                }
                self.group(&buffer, keys, row)
            })
            .collect()
    }

    fn add(&mut self, keys: &[Vector], row: usize) -> u32 {
        for (builder, key) in self.builders.iter_mut().zip(keys) {
            let value = key.get(row);
            self.bytes += value.size();
            builder.push(value);
        }
        let group = u32::try_from(self.count).unwrap_or(u32::MAX);
        self.count += 1;
        group
    }

    fn group(&mut self, key: &[u8], keys: &[Vector], row: usize) -> u32 {
        if let Some(group) = self.groups.get(key) {
            return *group;
        }
        let group = self.add(keys, row);
        self.bytes += key.len() + 32;
        self.groups.insert(Box::from(key), group);
        group
    }

    fn of_longs(&mut self, column: &Arc<Column>, values: &[i64]) -> Vec<u32> {
        let keys = [Vector::Column(column.clone())];
        let mut buffer = Vec::new();
        let mut last: Option<(i64, u32)> = None;
        let groups = values.iter().enumerate().map(|(row, value)| {
            if let Some((seen, group)) = last
                && seen == *value
            {
                return group;
            }
            let group = match self.longs.get(value) {
                Some(group) => *group,
                None => {
                    // A later batch may have nulls and use the other path, so both must know the key.
                    buffer.clear();
                    column.get(row).write_key(&mut buffer);
                    let group = self.group(&buffer, &keys, row);
                    self.longs.insert(*value, group);
                    group
                }
            };
            last = Some((*value, group));
            group
        });
        groups.collect()
    }

    fn of_texts(&mut self, values: &[Arc<str>]) -> Vec<u32> {
        let mut buffer = Vec::new();
        values
            .iter()
            .map(|text| {
                let address = text.as_ptr().addr();
                if let Some((group, known)) = self.known.get(&address)
                    && known.len() == text.len()
                {
                    return *group;
                }
                buffer.clear();
                buffer.push(5);
                write_text_key(text, &mut buffer);
                let key = [Vector::Const(crate::value::Value::String(text.clone()))];
                let group = self.group(&buffer, &key, 0);
                if self.known.len() < MAX_KNOWN {
                    self.known.insert(address, (group, text.clone()));
                }
                group
            })
            .collect()
    }

    /// The keys of the groups, in order.
    pub(super) fn finish(self) -> Vec<Vector> {
        self.builders
            .into_iter()
            .map(|builder| builder.finish().into())
            .collect()
    }
}

/// The key of a row; `None` if one of its values is null.
pub(super) fn join_key(keys: &[Vector], row: usize, buffer: &mut Vec<u8>) -> Option<()> {
    buffer.clear();
    for key in keys {
        let value = key.get(row);
        if value.is_null() {
            return None;
        }
        value.write_key(buffer);
    }
    Some(())
}

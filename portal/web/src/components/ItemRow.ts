// Texts of items in rows.

import type { Item } from '../api/types';

/** The text after the name of an item. */
export function besides(item: Item): string {
  if (item.itemType === 'dependency') return item.target ?? '';
  if (item.itemType === 'request') return item.operationName === item.name ? '' : (item.operationName ?? '');
  return item.operationName ?? '';
}

/** A row as tab separated text. */
export function itemText(item: Item): string {
  return [item.timestamp, item.itemType, item.roleName ?? '', item.name, item.resultCode ?? '', item.durationMs ?? '', item.operationId ?? ''].join('\t');
}

// The fields and comparisons of filters, as the protocol names them.

export const TYPES = ['Request', 'Dependency', 'Exception', 'Trace', 'Event'] as const;

const DIMENSIONS = ['CustomDimensions.', '*'];

export const FIELDS: Record<(typeof TYPES)[number], string[]> = {
  Request: ['Name', 'Url', 'ResponseCode', 'Duration', 'Success', ...DIMENSIONS],
  Dependency: ['Name', 'Data', 'Target', 'Type', 'ResultCode', 'Duration', 'Success', ...DIMENSIONS],
  Exception: ['Exception.Message', 'Exception.StackTrace', ...DIMENSIONS],
  Trace: ['Message', ...DIMENSIONS],
  Event: ['Name', ...DIMENSIONS],
};

export const PREDICATES = [
  ['Contains', 'contains'],
  ['DoesNotContain', 'does not contain'],
  ['Equal', '='],
  ['NotEqual', '≠'],
  ['LessThan', '<'],
  ['LessThanOrEqual', '≤'],
  ['GreaterThan', '>'],
  ['GreaterThanOrEqual', '≥'],
] as const;

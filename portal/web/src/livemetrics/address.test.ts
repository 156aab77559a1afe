import { expect, it } from 'vitest';
import type { LiveChart, LiveConfiguration, LiveStream } from '../api/types';
import { charts, chosen, formatChart, formatStream, isSame, parseChart, parseStream, streams } from './address';

const slow: LiveChart = { id: 'slow, 100 % | odd; ~', telemetryType: 'Request', projection: 'CustomMetrics.a,b', aggregation: 'Max', across: 'Avg', groups: [[{ field: 'Duration', predicate: 'GreaterThan', comparand: '0.00:00:01' }, { field: 'CustomDimensions.a~b', predicate: 'Equal', comparand: 'c,d;e|f%7C' }], [{ field: 'Name', predicate: 'Contains', comparand: '' }]] };
const plain: LiveChart = { id: 'all', telemetryType: 'Event', projection: 'Count()', aggregation: 'Sum', across: 'Sum', groups: [] };
const failed: LiveStream = { id: 'failed', groups: [{ telemetryType: 'Request', filters: [{ field: 'Success', predicate: 'Equal', comparand: 'false' }] }, { telemetryType: 'Exception', filters: [] }] };

it('charts and streams survive the address, whatever their texts hold', () => {
  expect(charts.parse(charts.format([slow, plain]))).toEqual([slow, plain]);
  expect(streams.parse(streams.format([failed]))).toEqual([failed]);
});

it('what is usual is left out', () => {
  expect(formatChart(plain)).toBe('all|Event');
  expect(formatStream(failed)).toBe('failed|Request,Success~Equal~false;Exception');
});

it('an empty list is another than none', () => {
  expect([charts.format([]), charts.format(undefined)]).toEqual([['none'], []]);
  expect([charts.parse(['none']), charts.parse([])]).toEqual([[], undefined]);
  expect([streams.parse(['none']), streams.parse([])]).toEqual([[], undefined]);
});

it('what is neither is left out', () => {
  for (const text of ['', '|', 'a', '|Request']) expect([parseChart(text), parseStream(text)]).toEqual([undefined, undefined]);
  expect(parseChart('a%|Request|||||more')).toMatchObject({ id: 'a%', groups: [] });
  expect(parseStream('a|Request,Success,~Equal~x')).toEqual({ id: 'a', groups: [{ telemetryType: 'Request', filters: [] }] });
});

it('the address has what a new portal has not', () => {
  const standard: LiveConfiguration = { charts: [], streams: [failed] };
  expect(chosen({ charts: [], streams: [failed] }, standard)).toEqual({ charts: undefined, streams: undefined });
  expect(chosen({ charts: [plain], streams: [] }, standard)).toEqual({ charts: [plain], streams: [] });
  expect(isSame(standard, { charts: [], streams: [{ ...failed }] })).toBe(true);
  expect(isSame(standard, { charts: [], streams: [{ ...failed, id: 'other' }] })).toBe(false);
});

import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { azureLink, resourceId } from './azure';
import { pack, unpack } from './pack';

it('a long text comes back from an address', async () => {
  const text = 'requests | where name == "ä€😀"\n'.repeat(200);
  const packed = await pack(text);
  expect(packed).toMatch(/^[\w-]+$/);
  expect(packed.length).toBeLessThan(text.length / 10);
  expect(await unpack(packed)).toBe(text);
  expect(await unpack('not%packed')).toBeUndefined();
  expect(await unpack('AAAA')).toBeUndefined();
});

it('only ids of resources with logs are taken for Azure', () => {
  const id = '/subscriptions/0000-1/resourceGroups/rg/providers/microsoft.insights/components/shop';
  expect(resourceId(` ${id}/ `)).toBe(id);
  expect(resourceId('https://example.org')).toBeUndefined();
  expect(resourceId('/subscriptions/1/resourceGroups/rg/providers/Microsoft.Web/sites/shop')).toBeUndefined();
});

it('a link to Azure holds resource, query and range', async () => {
  const link = await azureLink('/subscriptions/1', 'requests', 'PT30M');
  const [, id, query, timespan] = /resourceId\/([^/]+)\/source\/LogsBlade\.AnalyticsShareLinkToQuery\/q\/([^/]+)\/timespan\/(.+)$/.exec(link) ?? [];
  expect(decodeURIComponent(id ?? '')).toBe('/subscriptions/1');
  expect(gunzipSync(Buffer.from(decodeURIComponent(query ?? ''), 'base64')).toString()).toBe('requests');
  expect(timespan).toBe('PT30M');
});

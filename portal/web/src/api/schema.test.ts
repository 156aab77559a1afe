import { readFileSync } from 'node:fs';
import openapi, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';

it('the types are those of the API as it is described now', async () => {
  const described = astToString(await openapi(new URL('../../../openapi.json', import.meta.url)));
  const written = readFileSync(new URL('./schema.ts', import.meta.url), 'utf8');
  expect(written.endsWith(described)).toBe(true);
}, 30_000);

// One portal with the demo's traffic, for all files of tests.

import type { TestProject } from 'vitest/node';
import { ask, startPortal, startServices, until, visit } from './programs';

declare module 'vitest' {
  interface ProvidedContext {
    portal: string;
    web: string;
  }
}

const VISITS = 160;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const portal = await startPortal();
  const services = await startServices(portal.connection);
  await visit(services.web, VISITS);
  await until('the telemetry of all visits', async () => {
    const page = await ask<{ total: number }>(`${portal.url}/api/facets?kind=request&role=web`);
    return page.total >= VISITS;
  });
  project.provide('portal', portal.url);
  project.provide('web', services.web);
  return async () => {
    await services.stop();
    await portal.stop();
  };
}

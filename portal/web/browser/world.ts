// One portal with the demo's traffic and one browser, for all files of tests.

import type { TestProject } from 'vitest/node';
import { ask, startPortal, startServices, until, visit } from './programs';
import { launch } from './reader';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser is joined. */
    browser: string;
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
  const browser = await launch();
  project.provide('browser', browser.wsEndpoint());
  project.provide('portal', portal.url);
  project.provide('web', services.web);
  return async () => {
    await browser.close();
    await services.stop();
    await portal.stop();
  };
}

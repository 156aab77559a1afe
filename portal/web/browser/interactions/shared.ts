// The state of a page, as several interactions read it.

import type { Locator, Page } from 'playwright-core';

export const param = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);
export const params = (page: Page, name: string) => new URL(page.url()).searchParams.getAll(name);
export const focused = (page: Page, selector: string) => page.evaluate((one) => document.activeElement?.closest(one) !== null && document.activeElement?.closest(one) !== undefined, selector);
/** The selected row of a table. */
export const selectedRow = (grid: Locator) => grid.locator('[role="row"][aria-selected="true"]');

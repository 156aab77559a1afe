// Interactions of the application map.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { type Portal, startPortal } from '../programs';
import { join, reader } from '../reader';
import { envelope, FAILED, request, startStory, track } from '../story';
import { param } from './shared';

const base = inject('portal');
let browser: Browser;
let story: Portal;
beforeAll(async () => {
  [browser, story] = await Promise.all([join(), startStory()]);
});
afterAll(async () => {
  await browser.close();
  await story.stop();
});

describe.concurrent('the map', () => {
  it('finds a node, shows only its neighbours, and filters edges', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    await page.keyboard.press('f');
    await page.keyboard.type('stock');
    await page.keyboard.press('Enter');
    await expect.poll(() => param(page, 'sel')).toMatch(/^node:.*stock/);
    const all = await page.locator('[data-node]').count();
    await page.locator('[data-node="role:stock"]').dblclick();
    await expect.poll(() => param(page, 'nf')).toBe('both:role:stock');
    await expect.poll(() => page.locator('[data-node]').count()).toBeLessThan(all);
    await page.getByRole('button', { name: 'Node filter', exact: true }).click();
    await page.getByRole('menuitemradio', { name: 'only this' }).click();
    await expect.poll(() => page.locator('[data-node]').count()).toBe(1);
    await page.getByRole('button', { name: 'Remove the node filter' }).click();
    await expect.poll(() => page.locator('[data-node]').count()).toBe(all);
    await page.getByRole('button', { name: 'Filter edges' }).click();
    await page.getByRole('menuitemradio', { name: 'only with errors' }).click();
    await expect.poll(() => param(page, 'ef')).toBe('errors');
    await expect.poll(() => page.locator('[data-node]').count()).toBeLessThan(all);
    await page.locator('button.label').first().click();
    await expect.poll(() => param(page, 'sel')).toMatch(/^edge:/);
    await page.getByRole('complementary', { name: 'Edge' }).getByText('Distribution of durations').waitFor();
    await close();
  });

  it('shows another statistic, counts, and both as a table', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    const node = page.locator('[data-node="role:web"]');
    await expect.poll(() => node.textContent()).toContain('p95');
    await page.getByRole('button', { name: 'p99', exact: true }).click();
    await expect.poll(() => node.textContent()).toContain('p99');
    await page.getByRole('button', { name: 'Count', exact: true }).click();
    await expect.poll(() => node.textContent()).not.toContain('/s');
    await page.getByRole('button', { name: 'As table' }).click();
    await page.getByRole('region', { name: 'The map as tables' }).getByRole('columnheader', { name: 'p99', exact: true }).first().waitFor();
    expect([param(page, 'stat'), param(page, 'as'), param(page, 'table')]).toEqual(['p99', 'count', '1']);
    await close();
  });

  it('is zoomed by keys, buttons and the wheel, moved by dragging, and the address keeps it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    const world = page.locator('.canvas .world');
    const scale = () => world.evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).a);
    const whole = await scale();
    await page.keyboard.press('+');
    await expect.poll(scale).toBeGreaterThan(whole);
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await page.keyboard.press('-');
    await expect.poll(scale).toBeLessThan(whole);
    const box = (await page.locator('.canvas').boundingBox())!;
    const free = { x: box.x + box.width * 0.3, y: box.y + box.height * 0.8 };
    await page.mouse.move(free.x, free.y);
    await page.mouse.wheel(0, -400);
    await expect.poll(() => param(page, 'z')).toMatch(/^[\d.]+,-?\d+,-?\d+$/);
    const before = param(page, 'z');
    await page.mouse.down();
    await page.mouse.move(free.x + 80, free.y + 30, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => param(page, 'z')).not.toBe(before);
    const [z, x] = param(page, 'z')!.split(',').map(Number);
    await page.reload();
    await page.locator('[data-node="role:web"]').waitFor();
    await expect.poll(async () => Math.abs((await scale()) - z!)).toBeLessThan(0.02);
    expect(await world.evaluate((one) => Math.round(new DOMMatrix(getComputedStyle(one).transform).e))).toBe(x);
    await page.keyboard.press('0');
    await expect.poll(() => param(page, 'z')).toBeNull();
    await expect.poll(scale).toBeCloseTo(whole, 1);
    await close();
  });

  it('a dragged node stays where it was put', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    const node = page.locator('[data-node="role:web"]');
    const place = () => node.evaluate((one) => (one as HTMLElement).style.transform);
    const before = await place();
    const box = (await node.boundingBox())!;
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 60, box.y + 90, { steps: 5 });
    await page.mouse.up();
    const after = await place();
    expect(after).not.toBe(before);
    await page.reload();
    await node.waitFor();
    await expect.poll(place).toBe(after);
    await page.getByRole('button', { name: 'Unpin all' }).click();
    await expect.poll(place).toBe(before);
    await close();
  });

  it('says how many edges fail, makes one of many alike, and shows what changed since a run', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/map?from=-10m');
    await expect.poll(() => page.locator('[role="status"][aria-live="polite"]').last().textContent()).toBe('1 edge fails');
    await page.getByRole('button').filter({ hasText: '7 × SQL' }).waitFor();
    await page.getByRole('button', { name: 'Diff with run 1' }).click();
    await expect.poll(() => param(page, 'vs')).toBe('1');
    await page.locator('path.edge.new').first().waitFor({ state: 'attached' });
    await close();
  });

  it('with over 200 nodes begins around the worst, until a node is chosen', async ({ expect }) => {
    const portal = await startPortal();
    const MOST = 200;
    const told = (role: string) => ({ minutesAgo: 0, version: '1', operation: role.padEnd(32, '0'), role });
    const works = (i: number) => request('GET /', { ...told(`role-${i}`), operation: String(i).padStart(32, '0') }, 10);
    await track(portal, [
      ...Array.from({ length: MOST - 2 }, (_, i) => works(i)),
      request('GET /', told('worst'), 10, false),
      envelope('RemoteDependencyData', told('worst'), { id: 'd', name: 'SELECT', type: 'SQL', target: 'its-db', duration: '00:00:00.020', success: false }),
    ]);
    const { page, open, close } = await reader(browser, portal.url);
    const nodes = page.locator('[data-node]');
    const part = page.getByText('over 200 nodes: around the worst');
    await open('/map');
    await expect.poll(() => nodes.count()).toBe(MOST);
    expect(await part.count()).toBe(0);
    await track(portal, [works(MOST)]);
    await open('/map');
    await part.waitFor();
    const ids = () => nodes.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset['node']).sort());
    await expect.poll(ids).toEqual(['dependency:SQL|its-db', 'role:worst']);
    await open(`/map?nf=${encodeURIComponent('only:role:role-7')}`);
    await expect.poll(ids).toEqual(['role:role-7']);
    expect(await part.count()).toBe(0);
    await close();
    await portal.stop();
  });

  it('on a phone it is pinched and moved by fingers', async ({ expect }) => {
    const { page, context, open, close } = await reader(browser, base, { width: 390 });
    await open('/map');
    await page.getByRole('button', { name: 'As map' }).click();
    await page.locator('[data-node="role:web"]').waitFor();
    const world = page.locator('.canvas .world');
    const view = () => world.evaluate((one) => { const { a, e, f } = new DOMMatrix(getComputedStyle(one).transform); return { z: a, x: e, y: f }; });
    const box = (await page.locator('.canvas').boundingBox())!;
    const fingers = await context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) => fingers.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    // A free place, so that no node takes the fingers.
    const free = await page.evaluate(({ x, y, width, height }) => {
      for (let top = y + height - 90; top > y; top -= 10) if ([...Array(10)].every((_, i) => document.elementFromPoint(x + 60 + (i * (width - 120)) / 9, top)?.classList.contains('canvas'))) return { left: x + 60, right: x + width - 60, top };
      return null;
    }, box);
    expect(free).not.toBeNull();
    const { left, right, top } = free!;
    const middle = (left + right) / 2;
    const before = await view();
    await touch('touchStart', [middle - 40, top], [middle + 40, top]);
    for (const apart of [50, 60, 70, 80]) await touch('touchMove', [middle - apart, top], [middle + apart, top]);
    await touch('touchEnd');
    const pinched = await view();
    expect(pinched.z / before.z).toBeCloseTo(2, 1);
    // The node between the fingers stays there.
    const between = ({ z, x }: { z: number; x: number }) => (middle - box.x - x) / z;
    expect(between(pinched)).toBeCloseTo(between(before), 0);
    await expect.poll(() => Number(param(page, 'z')?.split(',')[0])).toBeCloseTo(pinched.z, 1);
    await touch('touchStart', [middle, top]);
    for (const by of [10, 20, 30]) await touch('touchMove', [middle - by, top - by]);
    await touch('touchEnd');
    const moved = await view();
    expect([moved.z, Math.round(moved.x - pinched.x), Math.round(moved.y - pinched.y)]).toEqual([pinched.z, -30, -30]);
    await close();
  });

  it('says why it is empty', async () => {
    const portal = await startPortal();
    await track(portal, [envelope('MessageData', { minutesAgo: 0, version: '1', operation: FAILED }, { message: 'alone' })]);
    const { page, open, close } = await reader(browser, portal.url);
    await open('/map');
    await page.getByText('Only traces and metrics so far').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Doctor' }).click();
    await page.waitForURL('**/doctor*');
    await close();
    await portal.stop();
  });
});

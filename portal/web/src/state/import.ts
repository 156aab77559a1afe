// Taking a file of telemetry.

import type { Imported } from '../api/types';
import { ApiProblem, send } from '../api/client';
import { plural } from '../lib/format';
import { router } from './router.svelte';
import { ui } from './ui.svelte';

export async function importFile(file: File): Promise<void> {
  try {
    const taken = await send<Imported>('POST', '/api/import', file, file.type === '' ? 'application/octet-stream' : file.type);
    const [first] = taken.errors;
    if (taken.accepted === 0) ui.toast('bad', first ? `${file.name}: line ${first.line}: ${first.message}` : `${file.name} holds no telemetry`);
    else {
      const refused = taken.errors.length > 0 ? `, ${taken.errors.length} refused` : '';
      ui.toast('ok', `${plural(taken.accepted, 'item')} of ${file.name} taken${refused}`, { label: 'Show', run: () => router.go(router.link('/transactions', { from: 'all', to: undefined })) });
    }
  } catch (error) {
    ui.toast('bad', error instanceof ApiProblem ? error.message : `${file.name} could not be read`);
  }
}

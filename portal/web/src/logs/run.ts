// Asking the query API, as any client of Azure's does.

import { ApiProblem } from '../api/client';
import { type Answer, answerOf } from '../lib/answer';

interface Refusal {
  error?: { message?: string; code?: string; innererror?: { message?: string; innererror?: { message?: string; code?: string; line?: number; pos?: number } } };
}

/** Seconds that a query may take. */
const WAIT = 60;

export async function run(app: string, query: string, timespan: string | undefined, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/v1/apps/${encodeURIComponent(app === '' ? 'local' : app)}/query`, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json', prefer: `wait=${WAIT}, include-statistics=true, include-render=true` },
      body: JSON.stringify({ query, ...(timespan === undefined ? {} : { timespan }) }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'Unreachable', 'The portal does not answer');
  }
  const body = (await response.json().catch(() => null)) as (Refusal & Parameters<typeof answerOf>[0]) | null;
  if (response.ok && body?.tables) return answerOf(body);
  const inner = body?.error?.innererror;
  const innermost = inner?.innererror;
  throw new ApiProblem(response.status, innermost?.code ?? body?.error?.code ?? String(response.status), innermost?.message ?? inner?.message ?? body?.error?.message ?? `answered ${response.status}`);
}

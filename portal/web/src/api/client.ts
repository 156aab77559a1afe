// The client of the portal's API.

/** A rejected or failed request, with the portal's message. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

async function answer<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'Unreachable', 'The portal does not answer');
  }
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { errorCode?: string; message?: string } | null;
    throw new ApiProblem(response.status, said?.errorCode ?? String(response.status), said?.message ?? `answered ${response.status}`);
  }
  return (await response.json()) as T;
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answer<T>(path, { ...(signal ? { signal } : {}), headers: { accept: 'application/json' } });
}

export function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: BodyInit, type = 'application/json'): Promise<T> {
  return answer<T>(path, { method, ...(body === undefined ? {} : { body, headers: { 'content-type': type } }) });
}

/** Values of a query; those that are empty or undefined are left out. */
export type Parameters = Record<string, string | number | boolean | undefined | readonly string[]>;

/** A path with its query. */
export function url(path: string, ...parameters: Parameters[]): string {
  const query = new URLSearchParams();
  for (const list of parameters) {
    for (const [key, value] of Object.entries(list)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== '') query.append(key, String(one));
      }
    }
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

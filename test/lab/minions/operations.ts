/** Writes that take longer than an API server before v0.13 waits for them: it answers 202, and tells later what came of them. */

export interface Told {
  readonly status: number;
  readonly body: object;
}

interface Operation {
  readonly finish: () => Told;
  /** How often it was asked for: the first time it is still under way. */
  asked: number;
  result: Told | undefined;
}

export class Operations {
  readonly #operations = new Map<string, Operation>();

  /** `waits`: the client waits for the end. Otherwise the write is done when it is asked for the second time. */
  begin(api: string, finish: () => Told, waits: boolean): Told {
    const id = String(this.#operations.size + 1);
    const operation: Operation = { finish, asked: 0, result: waits ? finish() : undefined };
    this.#operations.set(id, operation);
    return operation.result ?? working(api, id);
  }

  /** One operation, or all where no id is given. 200 when it is over, whatever came of it: a 409 is in the body alone. */
  read(api: string, id: string | undefined): Told | undefined {
    if (id === undefined) {
      const items = [...this.#operations.keys()].map((each) => ({ id: each, creationTimestamp: null }));
      return { status: 200, body: { kind: 'ServerOpList', creationTimestamp: null, apiVersion: api, items } };
    }
    const operation = this.#operations.get(id);
    if (operation === undefined) return undefined;
    operation.asked += 1;
    if (operation.result === undefined && operation.asked === 1) return working(api, id);
    operation.result ??= operation.finish();
    return { status: 200, body: operation.result.body };
  }

  /** Every write that is under way comes to its end. */
  finishAll(): void {
    for (const operation of this.#operations.values()) operation.result ??= operation.finish();
  }
}

function working(api: string, id: string): Told {
  const details = { id, kind: 'operation' };
  const said = {
    kind: 'Status',
    creationTimestamp: null,
    apiVersion: api,
    status: 'Working',
    reason: 'Working',
    details,
  };
  return { status: 202, body: said };
}

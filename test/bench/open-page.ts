/** A page that is open in a browser, as the daemon sees it: it reads what /live sends. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

const ID = 'id: ';
const DATA = 'data: ';

export class OpenPage {
  readonly #closing = new AbortController();
  /** The pass that it shows. */
  #shown: string | undefined;
  #onPass = () => {};

  /** Loads the page and its first update. */
  static async open(url: string): Promise<OpenPage> {
    const html = await (await fetch(url)).text();
    const shown = /data-shown="([^"]*)"/.exec(html)?.[1];
    const page = new OpenPage();
    const { body } = await fetch(`${url}/live?shown=${shown}`, { signal: page.#closing.signal });
    if (body === null) throw new Error('/live sends nothing');
    const first = page.nextPass();
    page.#read(Readable.fromWeb(body));
    await first;
    return page;
  }

  /** Resolves once it has been sent what another pass has changed. */
  nextPass(): Promise<void> {
    return new Promise((resolve) => {
      this.#onPass = resolve;
    });
  }

  close(): void {
    this.#closing.abort();
  }

  #read(input: Readable): void {
    let id: string | undefined;
    const lines = createInterface({ input: input.on('error', () => {}) });
    lines.on('error', () => {});
    lines.on('line', (line) => {
      if (line.startsWith(ID)) id = line.slice(ID.length);
      if (!line.startsWith(DATA) || id === this.#shown) return;
      this.#shown = id;
      this.#onPass();
    });
  }
}

/** Draws text in place on a terminal's alternate screen, and gives the terminal back as it was. */
import type { Terminal } from './terminal.ts';

/** Control sequences of xterm that every terminal of today obeys. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';

/** The alternate screen of a terminal, from the first drawing until it is closed. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #onExit = () => this.close();
  #isOpen = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Replaces what is drawn. The lines fit the window. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#terminal.control(ENTER);
      // A second signal ends the process at once.
      process.once('exit', this.#onExit);
    }
    // Without a line end behind the last line, which would scroll.
    this.#terminal.control(HOME + lines.map((line) => line + REST_OF_LINE).join('\r\n') + REST_OF_SCREEN);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#onExit);
    this.#terminal.control(LEAVE);
  }
}

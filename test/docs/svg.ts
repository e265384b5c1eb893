/** Drawings of boxes and arrows in SVG, which read on a light and on a dark page. */

/** How a box looks: a question, a state that is well, one that a person should see, one that ends, or plain. */
type Kind = 'question' | 'well' | 'watch' | 'end' | 'plain';

/** A box: its middle, and one line of text after the other. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width?: number;
  readonly kind: Kind;
  readonly lines: readonly string[];
}

/** A line through these points, with an arrow at its end. */
export interface Arrow {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly label?: string;
  /** The middle of the label; default: right of the first point. */
  readonly labelAt?: readonly [x: number, y: number];
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** What a person hears who does not see it. */
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  /** Text without a box, at its beginning. */
  readonly notes: readonly {
    readonly x: number;
    readonly y: number;
    readonly text: string;
    readonly isHeading?: boolean;
  }[];
}

const LINE_HEIGHT = 16;
const DEFAULT_WIDTH = 170;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .heading { font-weight: 600; font-size: 15px; }
    .label, .note { font-size: 12px; fill: #59636e; }
    .middle { text-anchor: middle; }
    rect { stroke: #59636e; fill: #ffffff; }
    .question { fill: #eef4fb; stroke: #2f6fb0; }
    .well { fill: #e6f4ea; stroke: #2b7a3f; }
    .watch { fill: #fdf3d8; stroke: #9a6b00; }
    .end { fill: #fbe9e7; stroke: #b3362b; }
    .line { fill: none; stroke: #59636e; }
    .tip { fill: #59636e; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .label, .note { fill: #9da7b1; }
      rect { stroke: #9da7b1; fill: #161b22; }
      .question { fill: #13273d; stroke: #5c9ee0; }
      .well { fill: #12301c; stroke: #57b974; }
      .watch { fill: #352a08; stroke: #d9a514; }
      .end { fill: #3b1613; stroke: #f0776b; }
      .line { stroke: #9da7b1; }
      .tip { fill: #9da7b1; }
    }
  `;

/** Writes the drawing as an SVG file. */
export function svgOf({ width, height, title, boxes, arrows, notes }: Drawing): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${STYLE}</style>`,
    '  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
    ...arrows.flatMap(arrowLines),
    ...boxes.flatMap(boxLines),
    ...notes.map(({ x, y, text, isHeading = false }) => {
      return `  <text class="${isHeading ? 'heading' : 'note'}" x="${x}" y="${y}">${escaped(text)}</text>`;
    }),
    '</svg>',
    '',
  ].join('\n');
}

function boxLines({ x, y, width = DEFAULT_WIDTH, kind, lines }: Box): string[] {
  const height = lines.length * LINE_HEIGHT + 14;
  const top = y - height / 2;
  return [
    `  <rect class="${kind}" x="${x - width / 2}" y="${top}" width="${width}" height="${height}" rx="${kind === 'question' ? 2 : 12}"/>`,
    ...lines.map((line, index) => {
      return `  <text class="middle" x="${x}" y="${top + 19 + index * LINE_HEIGHT}">${escaped(line)}</text>`;
    }),
  ];
}

function arrowLines({ points, label, labelAt }: Arrow): string[] {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const [first = [0, 0] as const] = points;
  const [x, y] = labelAt ?? [first[0] + 16, first[1] + 14];
  return [
    `  <path class="line" d="${path}" marker-end="url(#tip)"/>`,
    ...(label === undefined ? [] : [`  <text class="label middle" x="${x}" y="${y}">${escaped(label)}</text>`]),
  ];
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

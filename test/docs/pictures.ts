/** The drawings of the documents: how a pass decides, the life of a machine, and what the dashboard has. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Arrow, type Box, type Drawing, svgOf } from './svg.ts';

/** What draws each picture, by its name. */
export const PICTURES: Readonly<Record<string, () => string>> = {
  decision: () => svgOf(decision()),
  life: () => svgOf(life()),
  dashboard: () => svgOf(dashboard()),
};

/** A question, the answer that leaves the way with the verdict that it leads to, and the answer that goes on. */
export interface Step {
  readonly question: readonly string[];
  readonly leaves: string;
  readonly verdict: readonly string[];
  readonly kind: Box['kind'];
  readonly goesOn: string;
}

/** The questions for a machine, in their order. */
export const MACHINE_STEPS: readonly Step[] = [
  step('Does its metadata match METADATA?', 'no', 'not-selected', 'plain', 'yes'),
  step('Has it one usable address?', 'no', 'unusable', 'watch', 'yes'),
  step('Has it a node?|(by ID, address, name, annotation)', 'yes', 'has-node', 'well', 'no'),
  step('Do several nodes match equally?', 'yes', 'conflict', 'watch', 'no'),
  step('May an unmatched node be its own?', 'yes', 'waiting|(warning)', 'watch', 'no'),
  step('Is its kubelet healthy?', 'no', 'waiting', 'plain', 'yes'),
];

/** The questions for a node, in their order. */
export const NODE_STEPS: readonly Step[] = [
  step('Is it being deleted?', 'yes', 'leaving', 'plain', 'no'),
  step('Is it managed by this daemon?', 'no', 'adopt, if matched and alive;|else recognised, foreign', 'plain', 'yes'),
  step('Is it alive?', 'yes', 'keep, or a warning: orphan, unmatched,|probe-suspect, not-posting', 'well', 'no'),
  step('Is it cordoned, or marked with keep?', 'yes', 'vetoed', 'plain', 'no'),
  step('Do the settings allow deregistration?', 'no', 'spared', 'plain', 'yes'),
  step('Did its kubelet answer before?|(only if fleet lists its machine)', 'no', 'unheard', 'watch', 'yes'),
  step('Is the deletion guard active?', 'yes', 'held', 'watch', 'no'),
  step('Is the grace period over?', 'no', 'in-grace', 'plain', 'yes'),
  step('Is it its turn? (1 % a pass)', 'no', 'queued', 'plain', 'yes'),
  step('Does the last check find it alive or changed?', 'yes', 'kept', 'well', 'no'),
];

function step(question: string, leaves: string, verdict: string, kind: Box['kind'], goesOn: string): Step {
  return { question: question.split('|'), leaves, verdict: verdict.split('|'), kind, goesOn };
}

const STEP_HEIGHT = 66;
const FIRST_Y = 70;

/** Two columns of questions: one for a machine, one for a node. */
function decision(): Drawing {
  const machine = column(MACHINE_STEPS, 175, { lines: ['register'], kind: 'well' });
  const node = column(NODE_STEPS, 670, { lines: ['deregister'], kind: 'end' });
  return {
    width: 1_160,
    height: FIRST_Y + NODE_STEPS.length * STEP_HEIGHT + 40,
    title: 'How a pass decides: the questions for a machine and for a node, and the verdict that each answer leads to',
    boxes: [...machine.boxes, ...node.boxes],
    arrows: [...machine.arrows, ...node.arrows],
    notes: [
      { x: 20, y: 26, text: 'For each machine of fleet', isHeading: true },
      { x: 515, y: 26, text: 'For each node of Kubernetes', isHeading: true },
    ],
  };
}

function column(
  steps: readonly Step[],
  x: number,
  last: Pick<Box, 'lines' | 'kind'>,
): Pick<Drawing, 'boxes' | 'arrows'> {
  const [questionWidth, verdictWidth] = [310, x < 300 ? 110 : 280];
  const side = x + questionWidth / 2 + 36;
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  for (const [index, { question, leaves, verdict, kind, goesOn }] of steps.entries()) {
    const y = FIRST_Y + index * STEP_HEIGHT;
    boxes.push({ x, y, width: questionWidth, kind: 'question', lines: question });
    boxes.push({ x: side + verdictWidth / 2, y, width: verdictWidth, kind, lines: verdict });
    const half = (question.length * 16 + 14) / 2;
    const next = steps[index + 1]?.question ?? last.lines;
    const nextTop = y + STEP_HEIGHT - (next.length * 16 + 14) / 2;
    const [right, middle] = [x + questionWidth / 2, (y + half + nextTop) / 2 + 4];
    arrows.push({
      points: [
        [right, y],
        [side, y],
      ],
      label: leaves,
      labelAt: [right + 16, y - 5],
    });
    arrows.push({
      points: [
        [x, y + half],
        [x, nextTop],
      ],
      label: goesOn,
      labelAt: [x + 18, middle],
    });
  }
  boxes.push({ x, y: FIRST_Y + steps.length * STEP_HEIGHT, width: 150, ...last });
  return { boxes, arrows };
}

/** From fleet's list to a node, and to its end. */
function life(): Drawing {
  const boxes: Box[] = [
    { x: 110, y: 60, kind: 'plain', lines: ['fleet lists the machine'] },
    { x: 420, y: 60, kind: 'plain', lines: ['waiting', 'kubelet not healthy yet'] },
    { x: 730, y: 60, kind: 'well', lines: ['keep', 'node registered, alive'] },
    { x: 1_050, y: 60, width: 200, kind: 'watch', lines: ['orphan, unmatched,', 'probe-suspect, not-posting'] },
    { x: 730, y: 190, kind: 'watch', lines: ['in-grace', 'not alive'] },
    { x: 1_050, y: 190, width: 200, kind: 'watch', lines: ['held, vetoed,', 'unheard, spared: kept'] },
    { x: 420, y: 190, kind: 'plain', lines: ['queued, last check'] },
    { x: 110, y: 190, kind: 'end', lines: ['deregistered'] },
  ];
  const arrows: Arrow[] = [
    {
      points: [
        [195, 60],
        [335, 60],
      ],
      label: 'metadata matches',
      labelAt: [265, 52],
    },
    {
      points: [
        [505, 60],
        [645, 60],
      ],
      label: 'healthy',
      labelAt: [575, 52],
    },
    {
      points: [
        [815, 50],
        [950, 50],
      ],
      label: 'one sign missing',
      labelAt: [882, 42],
    },
    {
      points: [
        [950, 70],
        [815, 70],
      ],
      label: 'all signs',
      labelAt: [882, 86],
    },
    {
      points: [
        [745, 83],
        [745, 167],
      ],
      label: 'not alive',
      labelAt: [776, 128],
    },
    {
      points: [
        [715, 167],
        [715, 83],
      ],
      label: 'alive',
      labelAt: [696, 128],
    },
    {
      points: [
        [815, 180],
        [950, 180],
      ],
      label: 'something forbids it',
      labelAt: [882, 172],
    },
    {
      points: [
        [950, 200],
        [815, 200],
      ],
      label: 'allowed again',
      labelAt: [882, 216],
    },
    {
      points: [
        [645, 190],
        [505, 190],
      ],
      label: 'grace period over',
      labelAt: [575, 182],
    },
    {
      points: [
        [420, 175],
        [420, 130],
        [672, 130],
        [672, 83],
      ],
      label: 'alive',
      labelAt: [546, 124],
    },
    {
      points: [
        [335, 190],
        [195, 190],
      ],
      label: 'still not alive',
      labelAt: [265, 182],
    },
    {
      points: [
        [110, 175],
        [110, 75],
      ],
      label: 'the machine is back',
      labelAt: [184, 128],
    },
  ];
  return {
    width: 1_170,
    height: 250,
    title: 'The life of a machine: listed by fleet, waiting, registered and kept, in its grace period, deregistered',
    boxes,
    arrows,
    notes: [
      {
        x: 25,
        y: 240,
        text: 'MISSING_GRACE (15m) when fleet no longer lists the machine, UNHEALTHY_GRACE (30m) when it does. At least three passes.',
      },
    ],
  };
}

const PANEL = z.object({
  type: z.string(),
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number() }),
  targets: z.array(z.object({ legendFormat: z.string() })).default([]),
});
const DASHBOARD = z.object({ panels: z.array(PANEL) });

/** What is on the dashboard, panel by panel, without figures. */
function dashboard(): Drawing {
  const file = new URL('../../deploy/grafana/kube-register.json', import.meta.url);
  const { panels } = DASHBOARD.parse(JSON.parse(readFileSync(file, 'utf8')));
  const [unit, boxHeight, headingHeight] = [46, 56, 34];
  const boxes: Box[] = [];
  const notes: { x: number; y: number; text: string; isHeading: boolean }[] = [];
  let top = 10;
  for (const line of [...new Set(panels.map(({ gridPos }) => gridPos.y))].sort((a, b) => a - b)) {
    const here = panels.filter(({ gridPos }) => gridPos.y === line);
    const isHeading = here.some(({ type }) => type === 'row');
    for (const { title, gridPos, targets } of here) {
      if (isHeading) notes.push({ x: 10, y: top + 22, text: title, isHeading });
      else {
        const width = gridPos.w * unit - 10;
        const x = 10 + gridPos.x * unit + width / 2;
        const series = legend(targets, width);
        const lines = series === title.toLowerCase() ? [title] : [title, series];
        boxes.push({ x, y: top + boxHeight / 2, width, kind: 'plain', lines });
      }
    }
    top += isHeading ? headingHeight : boxHeight;
  }
  return { width: 24 * unit + 10, height: top + 6, title: 'The panels of the dashboard', boxes, arrows: [], notes };
}

/** The names of a panel's series, as far as they fit. */
function legend(targets: readonly { readonly legendFormat: string }[], width: number): string {
  const names = targets.map(({ legendFormat }) => legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, '($1)'));
  const text = names.join(', ');
  const fits = Math.floor(width / 7.2);
  return text.length <= fits ? text : `${text.slice(0, fits - 3).replace(/[ ,]*$/, '')}...`;
}

/** Asks axe-core, inside a page, what keeps people from using it. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { z } from 'zod';

const results = z.object({
  violations: z.array(
    z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })) }),
  ),
  incomplete: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
  passes: z.array(z.object({ id: z.string() })),
});

/** What axe found in a part of the page, and how much it looked at. It is run past the page's policy, as a person's extension is. */
export async function askAxe(page: Page, part = 'html') {
  await page.evaluate(axe.source);
  // Rows that are not on the screen are not painted, and axe could not tell their colours.
  await page.evaluate(`document.styleSheets[0].insertRule('tr { content-visibility: visible !important }', 0)`);
  const found = results.parse(await page.evaluate(`axe.run(${JSON.stringify(part)})`));
  return {
    violations: found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`,
    ),
    undecided: found.incomplete.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`,
    ),
    passed: found.passes.length,
  };
}

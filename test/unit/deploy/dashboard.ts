/** deploy/grafana/kube-register.json as Grafana reads it: its panels, and the queries that they ask. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const DATA_SOURCE = z.strictObject({ type: z.literal('prometheus'), uid: z.literal(`\${datasource}`) });
const PANEL = z.object({
  id: z.int(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  description: z.string().min(1).optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z
    .array(
      z.object({
        refId: z.string(),
        datasource: DATA_SOURCE,
        expr: z.string().min(1),
        legendFormat: z.string().min(1),
      }),
    )
    .default([]),
});
const DASHBOARD = z.object({
  panels: z.array(PANEL),
  templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
});
export type Panel = z.infer<typeof PANEL>;

/** Throws when it is not of this shape, which is that of schema version 37. */
export async function readDashboard(): Promise<z.infer<typeof DASHBOARD>> {
  const file = new URL('../../../deploy/grafana/kube-register.json', import.meta.url);
  return DASHBOARD.parse(JSON.parse(await readFile(file, 'utf8')));
}

/** What its panels ask when this job is chosen, as Grafana would send it. */
export async function dashboardQueries(job: string): Promise<string[]> {
  const { panels } = await readDashboard();
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$job', job)));
}

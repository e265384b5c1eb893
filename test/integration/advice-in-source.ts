/** Finds every sentence in the source that names a setting, a flag or a command. */
import { readdirSync, readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { parseAst } from 'vitest/node';
import { settingNames } from '../../src/settings/table.ts';

const SOURCE = new URL('../../src/', import.meta.url);

/** What these hold is a reference that people look up, not the answer to a fault. The documents are made of it. */
const REFERENCE = [
  'settings/table.ts',
  'commands/cli/commands.ts',
  'commands/cli/completion.ts',
  'commands/cli/help.ts',
  'log/log-events.ts',
  'status/verdict-help.ts',
];

const COMMANDS =
  'kubectl|fleetctl|systemctl|etcdctl|journalctl|usermod|timedatectl|openssl|curl|docker|unset|chmod|reboot|ss|rm|ls|kube-register --|kube-register help|kube-register manifests';
const ADVICE = new RegExp(
  `\\bKUBE_REGISTER_[A-Z]|(^|[\\s\`('"])--?[a-z][a-z-]+|(^|[\\s\`(])(${COMMANDS})[\\s-]|(?<![-\\w.$])(${settingNames.join('|')})(?![\\w.])`,
);

/** Expressions that stand for the name of a setting or a field: those of ConfigSource. */
const NAMES = new Set([
  'endpoint',
  'ca',
  'clientCertificate',
  'credentials',
  'serverName',
  'timeout',
  'legacyTls',
  'proxyVariable',
]);
const USES_NAMES = ['http/diagnosis.ts', 'kubernetes/status.ts'];

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

function lastName(expression: unknown): unknown {
  if (!isTree(expression)) return undefined;
  return expression['type'] === 'MemberExpression' ? lastName(expression['property']) : expression['name'];
}

interface Found {
  /** What is put in is `…`. */
  readonly text: string;
  readonly names: readonly unknown[];
}

function* textsIn(tree: unknown): Iterable<Found> {
  if (Array.isArray(tree)) {
    for (const branch of tree) yield* textsIn(branch);
    return;
  }
  if (!isTree(tree) || tree['type'] === 'ImportDeclaration') return;
  if (tree['type'] === 'Literal' && typeof tree['value'] === 'string') yield { text: tree['value'], names: [] };
  if (tree['type'] === 'TemplateLiteral' && Array.isArray(tree['quasis']) && Array.isArray(tree['expressions'])) {
    const parts = tree['quasis'].map((quasi: { value: { cooked: string } }) => quasi.value.cooked);
    yield { text: parts.join('…'), names: tree['expressions'].map(lastName) };
  }
  for (const branch of Object.values(tree)) yield* textsIn(branch);
}

/** Each different sentence once, in the order of the alphabet. Comments are none. */
export function adviceIn(file: string, source: string): readonly string[] {
  const program = parseAst(transformSync(source, { loader: 'ts', minifySyntax: true }).code);
  const found = [...textsIn(program)].filter(({ text, names }) => {
    if (!/[\s=]/.test(text)) return false;
    return ADVICE.test(text) || (USES_NAMES.includes(file) && names.some((name) => NAMES.has(String(name))));
  });
  return [...new Set(found.map(({ text }) => text))].sort();
}

/** The sentences of the whole program. */
export function adviceInSource(): readonly string[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const all = files
    .filter((file) => !REFERENCE.includes(file))
    .flatMap((file) => adviceIn(file, readFileSync(new URL(file, SOURCE), 'utf8')));
  return [...new Set(all)].sort();
}

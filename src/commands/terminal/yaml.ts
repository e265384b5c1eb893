/** Writes a value as YAML, without control characters that a terminal would obey. */
import { Document, isScalar, visit } from 'yaml';
import { escapeControls } from '../../text/quote.ts';

/** Characters that `escapeControls` escapes. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** YAML that reads back as the same value. Only double quotes have escapes, so a string with control characters is in double quotes. */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, (_, node) => {
    if (isScalar(node) && typeof node.value === 'string' && CONTROLS.test(node.value)) node.type = 'QUOTE_DOUBLE';
  });
  return escapeControls(document.toString({ lineWidth: 0 })).trimEnd();
}

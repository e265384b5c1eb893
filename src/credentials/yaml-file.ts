/** Reads a YAML file that holds credentials as Go programs read it, and never quotes it in an error. */
import { parseDocument, type Tags } from 'yaml';
import { CredentialError } from './credential-error.ts';
import { readTextFile } from './credential-file.ts';

/** The text of the file with LF line ends: YAML ends lines with CR alone too, which the library does not. Throws CredentialError. */
export async function readYamlText(path: string, from: string): Promise<string> {
  return (await readTextFile(path, from)).replaceAll(/\r\n?/g, '\n');
}

/**
 * YAML 1.1 as Go reads it: merge keys, yes and no, the first of several documents. Two equal keys in one mapping are a mistake, as for
 * Go's strict decoder, or the last one wins. Throws CredentialError.
 */
export function parseYaml(content: string, from: string, keys: 'unique keys' | 'last of equal keys'): unknown {
  if (content.trim() === '') throw new CredentialError(`${from}: it is empty`);
  // The library's own messages quote the line that is wrong, and that may be a token.
  const document = parseDocument(content, {
    prettyErrors: false,
    logLevel: 'silent',
    version: '1.1',
    schema: 'yaml-1.1',
    merge: true,
    uniqueKeys: keys === 'unique keys',
    customTags: asGo,
  });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const line = content.slice(0, mistake.pos[0]).split('\n').length;
    throw new CredentialError(`${from}: it is not valid YAML (line ${line}: ${mistake.code})`);
  }
  try {
    return document.toJS();
  } catch {
    throw new CredentialError(`${from}: its YAML aliases or merge keys cannot be resolved`);
  }
}

/** Go has no times in its values, and no numbers in base 60. */
function asGo(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && tag.tag !== 'tag:yaml.org,2002:timestamp'),
  );
}

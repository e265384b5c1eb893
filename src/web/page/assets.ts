/** What a browser asks for beside the page: its style, its script and its icon. */
import { createHash } from 'node:crypto';
import { ASSET_FILES } from './asset-files.ts';

export interface Asset {
  readonly contentType: string;
  readonly body: string;
  /** In quotes, as the header has it. */
  readonly etag: string;
}

const CONTENT_TYPES: Readonly<Record<keyof typeof ASSET_FILES, string>> = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml; charset=utf-8',
};

/** By path, with its slash. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([asset('page.css'), asset('page.js'), asset('icon.svg')]);

/** Another one wants another style and script: a page that is open then loads itself anew. */
export const ASSETS_VERSION = digest([...ASSETS.values()].map(({ etag }) => etag).join());

function asset(name: keyof typeof ASSET_FILES): [string, Asset] {
  const body = ASSET_FILES[name];
  return [`/${name}`, { contentType: CONTENT_TYPES[name], body, etag: `"${digest(body)}"` }];
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** The assets of the page: style, script and icon. */
import { createHash } from 'node:crypto';
import type { Asset } from '../answers.ts';
import { ASSET_FILES } from './asset-files.ts';

const CONTENT_TYPES: Readonly<Record<keyof typeof ASSET_FILES, string>> = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml; charset=utf-8',
};

/** By path, with the slash. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([asset('page.css'), asset('page.js'), asset('icon.svg')]);

/** A hash of the assets. An open page with another version reloads itself. */
export const ASSETS_VERSION = digest([...ASSETS.values()].map(({ etag }) => etag).join());

function asset(name: keyof typeof ASSET_FILES): [string, Asset] {
  const body = ASSET_FILES[name];
  return [`/${name}`, { contentType: CONTENT_TYPES[name], body, etag: `"${digest(body)}"` }];
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

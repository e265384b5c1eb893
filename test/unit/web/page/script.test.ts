import { describe, expect, it } from 'vitest';
import { ASSET_FILES } from '../../../../src/web/page/asset-files.ts';

describe("the page's script", () => {
  /** Its files share one scope, so that the linter cannot tell which names are unused. */
  it('has no unused function or variable, and none twice', () => {
    const script = ASSET_FILES['page.js'].replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
    const names = [...script.matchAll(/^(?:async )?(?:function|const|let) (\w+)/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    const unused = names.filter((name) => (script.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length < 2);
    expect(unused).toEqual([]);
  });

  it('loads the page itself, the details and the updates, by relative paths', () => {
    const loaded = ASSET_FILES['page.js'].matchAll(/\b(?:fetch|EventSource)\([`'"]([^`'"?]*)/g);
    expect([...loaded].map(([, path]) => path).toSorted()).toEqual(['./', 'explain', 'live']);
  });
});

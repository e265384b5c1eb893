/** The real program reads its web configuration file again, which takes seconds. */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { certificate } from '../integration/loopback.ts';
import { folderOfTest, GOOD_END, labOfTest, settingsFor, startProgram } from '../integration/program.ts';

const PASSWORD = 'a-password-of-this-test';
const HASH = hashSync(PASSWORD, 4);

function web(user: string): string {
  return `tls_server_config: {cert_file: server.pem, key_file: server.key}\nbasic_auth_users: {${user}: ${HASH}}\n`;
}

it('reads its web configuration file again, keeps the last version while it is broken, and shows no password', async () => {
  const [lab, folder] = [await labOfTest(), await folderOfTest()];
  const file = join(folder, 'web.yml');
  for (const name of ['server.pem', 'server.key']) await writeFile(join(folder, name), certificate(name));
  await writeFile(file, web('alice'));
  const program = startProgram({ ...settingsFor(lab), WEB_CONFIG_FILE: file, STATUS_ACCESS: 'login' });
  const { listen = '' } = await program.said(/has started/);
  const [host, port] = listen.split(':');
  const status = (login: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ host, port, path: '/status', auth: login, agent: false, ca: certificate('ca.pem') });
      asked
        .on('response', (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  expect([await status(`alice:${PASSWORD}`), await status('alice:no')]).toEqual([200, 401]);
  await writeFile(file, `${web('carol')}cipher_suites: []\n`);
  const { msg } = await program.said(/the last version stays in force/);
  expect(msg).toContain(`${file}: cipher_suites: kube-register does not support this key of the exporter-toolkit`);
  expect(await status(`alice:${PASSWORD}`)).toBe(200);
  await writeFile(file, web('carol'));
  await program.said(/its new version is in force: https, passwords of 1 user$/);
  expect([await status(`alice:${PASSWORD}`), await status(`carol:${PASSWORD}`)]).toEqual([401, 200]);
  expect(program.stdout).not.toMatch(
    new RegExp(`${PASSWORD}|\\$2b\\$|${Buffer.from(`carol:${PASSWORD}`).toString('base64')}`),
  );
  expect(await program.stop()).toEqual(GOOD_END);
}, 40_000);

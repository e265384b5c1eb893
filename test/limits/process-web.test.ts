/** The port of the real program: one that another kube-register has, and a web configuration file that cannot be used. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { freePort } from '../integration/free-port.ts';
import { certificate } from '../integration/loopback.ts';
import { folderOfTest, GOOD_END, labOfTest, settingsFor, startProgram } from '../integration/program.ts';

const PASSWORD = 'a-password-of-this-test';
const HASH = hashSync(PASSWORD, 4);

function web(user: string): string {
  return `tls_server_config: {cert_file: server.pem, key_file: server.key}\nbasic_auth_users: {${user}: ${HASH}}\n`;
}

it('names the kube-register that has its port, over https too, and status reads from it', async () => {
  const [lab, folder] = [await labOfTest(), await folderOfTest()];
  const port = await freePort();
  const settings = { ...settingsFor(lab), LISTEN: `127.0.0.1:${port}` };
  const file = join(folder, 'web.yml');
  for (const name of ['server.pem', 'server.key']) await writeFile(join(folder, name), certificate(name));
  await writeFile(file, web('alice'));
  const first = startProgram({ ...settings, WEB_CONFIG_FILE: file });
  await first.said(/has started/);
  const command = startProgram(settings, ['status']);
  expect(await command.ended).toEqual(GOOD_END);
  expect(command.stdout).toContain(` at https://127.0.0.1:${port}, running for `);
  const second = startProgram(settings);
  expect(await second.ended).toEqual({ ...GOOD_END, code: 1 });
  expect(second.log.at(-1)?.msg).toMatch(
    new RegExp(
      `^cannot listen on 127\\.0\\.0\\.1:${port}: kube-register \\S+, running since \\S+Z, has this port; stop that one, or set KUBE_REGISTER_LISTEN to another host:port or off$`,
    ),
  );
});

it('does not start with a web configuration file that cannot be used', async () => {
  const [lab, folder] = [await labOfTest(), await folderOfTest()];
  const file = join(folder, 'web.yml');
  await writeFile(file, `basic_auth_users: {alice: ${PASSWORD}}\n`);
  const program = startProgram({ ...settingsFor(lab), WEB_CONFIG_FILE: file });
  expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
  expect(program.log.at(-1)).toMatchObject({
    event: 'credentials-unusable',
    msg: `KUBE_REGISTER_WEB_CONFIG_FILE: ${file}: basic_auth_users.alice: the password must be a bcrypt hash, which begins with $2y$ (make one with: htpasswd -nBC 10 USER)`,
  });
  expect(program.stdout).not.toContain(PASSWORD);
});

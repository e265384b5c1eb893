/** A name server that knows one name, over UDP: RFC 1035, as much of it as a stub resolver asks for. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** Of each message: the number of bytes of its header, and of the type and class that end its question. */
const HEADER = 12;
const TYPE_AND_CLASS = 4;
const A = 1;

/** Listens at this address, port 53, until the test is over: the name has the IPv4 address, and every other name none. */
export async function startNameServer(listen: string, name: string, address: string): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address: client }) => socket.send(answer(query, name, address), port, client));
  socket.bind(53, listen);
  onTestFinished(() => void socket.close());
  await once(socket, 'listening');
}

function answer(query: Buffer, name: string, address: string): Buffer {
  const end = query.indexOf(0, HEADER) + 1;
  const question = query.subarray(HEADER, end + TYPE_AND_CLASS);
  const wanted = Buffer.from(`.${name}.`.replaceAll('.', '\0'));
  const labels = Buffer.from(query.subarray(HEADER, end));
  // Each label begins with its length.
  for (let at = 0; at < labels.length; ) {
    const length = labels.readUInt8(at);
    labels.writeUInt8(0, at);
    at += length + 1;
  }
  const found = labels.equals(wanted) && query.readUInt16BE(end) === A;
  const header = Buffer.alloc(HEADER);
  query.copy(header, 0, 0, 2);
  // An answer, recursion desired and available, no error; one question and, where found, one record.
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found ? 1 : 0, 6);
  // The name of the question, type A, class IN, 60 s, and four bytes.
  const record = Buffer.from([0xc0, HEADER, 0, A, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([header, question, ...(found ? [record] : [])]);
}

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { serve } from './fake-daemon.ts';
import { sendRaw } from './raw-connection.ts';

const QUICK = { headers: 1_000, request: 1_500, idle: 2_000, answer: 1_000 };
const HEALTH = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

/** Opens connections that say nothing, or half of something, and keeps them. */
async function occupy(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      sockets.push(socket);
      socket.on('error', () => undefined); // beyond the most, the server resets it
      return new Promise<void>((resolve) => {
        socket.once('close', () => resolve());
        socket.once('connect', () => {
          if (index % 3 === 1) socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nx: ');
          if (index % 3 === 2) socket.end('GET /livez');
          resolve();
        });
      });
    }),
  );
  return sockets;
}

it('S10: 2,000 connections that say nothing, or half of something, do not keep health from answering', async () => {
  await using http = await serve();
  const sockets = await occupy(http.address.port, 2_000);
  try {
    const began = performance.now();
    expect(await sendRaw(http.address.port, HEALTH)).toMatch(/^HTTP\/1.1 200/);
    expect(performance.now() - began).toBeLessThan(3_000);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}, 30_000);

it('S10: more than it takes are over within the time-outs, and health answers again', async () => {
  await using http = await serve({ timeouts: QUICK });
  const sockets = await occupy(http.address.port, 5_000);
  try {
    const began = performance.now();
    let answer = '';
    while (!answer.startsWith('HTTP/1.1 200') && performance.now() - began < 15_000) {
      answer = await sendRaw(http.address.port, HEALTH);
      if (answer === '') await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(answer).toMatch(/^HTTP\/1.1 200/);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}, 30_000);

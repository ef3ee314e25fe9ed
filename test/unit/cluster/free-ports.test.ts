import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { freePorts } from '../../cluster/free-ports.js';

describe('free ports', () => {
  it('are different from each other and can be listened on', async () => {
    const ports = await freePorts(5);
    expect(new Set(ports).size).to.equal(5);
    const servers = ports.map((port) => createServer().listen(port, '127.0.0.1'));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    for (const server of servers) server.close();
  });
});

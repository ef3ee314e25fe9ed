import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Cameras, startCameras } from './cameras.js';

// Prints one line of JSON {"port", "urls"} when every camera can be played. Commands by standard input, one a line:
// freeze NAME, unfreeze NAME, refuse NAME, accept NAME, limit NAME [COUNT]; SIGTERM or SIGINT ends it.
const { values } = parseArgs({
  options: {
    names: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'advertised-host': { type: 'string' },
    fps: { type: 'string', default: '10' },
    size: { type: 'string', default: '640x360' },
    'key-frame-seconds': { type: 'string' },
    username: { type: 'string' },
  },
});

const names = (values.names ?? '').split(',').filter((name) => name !== '');
if (names.length === 0) {
  console.error(
    'give the cameras: --names a,b [--host 0.0.0.0] [--advertised-host A] [--port N] [--fps N] [--size WxH] [--key-frame-seconds S]',
  );
  console.error('with --username, the password is taken from the environment variable CAMERA_PASSWORD');
  process.exit(2);
}

const cameras = await startCameras({
  names,
  host: values.host,
  port: Number(values.port),
  fps: Number(values.fps),
  size: values.size,
  ...(values['key-frame-seconds'] === undefined ? {} : { keyFrameSeconds: Number(values['key-frame-seconds']) }),
  ...(values['advertised-host'] === undefined ? {} : { advertisedHost: values['advertised-host'] }),
  ...(values.username === undefined ? {} : { username: values.username, password: process.env.CAMERA_PASSWORD ?? '' }),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    cameras.stop().then(() => process.exit(0));
  });
}
createInterface({ input: process.stdin }).on('line', (line) => obey(cameras, line));
console.log(JSON.stringify({ port: cameras.port, urls: Object.fromEntries(names.map((n) => [n, cameras.url(n)])) }));

function obey(running: Cameras, line: string): void {
  const [command, name = '', count] = line.trim().split(/\s+/);
  if (command === 'freeze') running.freeze(name);
  else if (command === 'unfreeze') running.unfreeze(name);
  else if (command === 'refuse') running.refuse(name);
  else if (command === 'accept') running.accept(name);
  else if (command === 'limit') running.limitSessions(name, count === undefined ? undefined : Number(count));
  else console.error(`cameras: unknown command '${line}'`);
}

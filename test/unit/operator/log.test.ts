import { expect } from 'chai';
import { createLog, redactSecrets } from '../../../src/operator/log.js';

describe('the log', () => {
  function logged(write: (log: ReturnType<typeof createLog>) => void): string {
    let text = '';
    write(
      createLog({
        name: 'test',
        destination: {
          write: (line: string) => {
            text += line;
          },
        },
      }),
    );
    return text;
  }

  it('writes one JSON line an entry, with name, level and time', () => {
    const entry = JSON.parse(logged((log) => log.info({ camera: 'a' }, 'hello'))) as Record<string, unknown>;
    expect(entry).to.include({ name: 'test', level: 'info', camera: 'a', msg: 'hello' });
    expect(entry.time).to.match(/^\d{4}-.*Z$/);
  });

  it('takes credentials out of URLs: in fields, in messages, in errors and their causes', () => {
    const url = 'rtsp://admin:s3cr3t@10.0.0.7:554/stream?token=t0ps3cret';
    const text = logged((log) => {
      log.info({ url, deep: { list: [url] } }, `connecting to ${url}`);
      log.error({ err: new Error(`no answer from ${url}`, { cause: new Error(url) }) }, 'failed');
    });
    expect(text).to.not.match(/s3cr3t|admin|t0ps3cret/);
    expect(text).to.include('10.0.0.7:554/stream');
    expect(redactSecrets('rtsp://viewer:p@ss@cam/1')).to.equal('rtsp://[redacted]@cam/1');
    for (const line of text.trim().split('\n')) JSON.parse(line);
  });

  it('takes out tokens and fields named like secrets, and leaves the line valid JSON', () => {
    const text = logged((log) =>
      log.info(
        { headers: { authorization: 'Bearer abcdefghijkl' }, password: 'pa"ss\\word', token: 12345, user: 'x' },
        'Bearer zyxwvutsrqpon eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
      ),
    );
    expect(text).to.not.match(/abcdefghijkl|pa\\"ss|12345|zyxwvuts|eyJ/);
    expect(JSON.parse(text)).to.include({ password: '[redacted]', user: 'x' });
  });

  it('leaves harmless text as it is', () => {
    const text = 'GET https://host:6443/apis?limit=500 mail a@b.c, Basic idea';
    expect(redactSecrets(text)).to.equal(text);
  });
});

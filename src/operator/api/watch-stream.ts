const newline = 0x0a;

/**
 * Splits a byte stream into lines and hands each to `onLine`. Works on bytes, so that a character cut in two by a
 * network packet stays whole; a last line without a newline was cut off by the connection and is dropped.
 */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let pending: Buffer[] = [];
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const tail = chunk.subarray(start, end);
      const line = pending.length === 0 ? tail : Buffer.concat([...pending, tail]);
      pending = [];
      start = end + 1;
      if (line.length > 0) onLine(line.toString('utf8'));
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  };
}

/** What ffmpeg says on standard error with `-loglevel level+info`. */
export interface HeardLine {
  /** The line without its level; undefined when it is small talk, such as the name of each segment. */
  readonly kept: string | undefined;
  /** The stream has been understood: what is awaited now is its next key frame. */
  readonly connected: boolean;
}

const SMALL_TALK = new Set(['info', 'verbose', 'debug', 'trace']);

/** Reads one line. A line without a level is kept: nothing that could be a failure is thrown away. */
export function heard(line: string): HeardLine {
  const [, context = '', level, text = ''] = /^((?:\[[^\]]* @ [^\]]*\] )*)\[([a-z]+)\] (.*)$/.exec(line) ?? [];
  if (level === undefined) return { kept: line, connected: false };
  const connected = level === 'info' && text.startsWith('Input #0,');
  return { kept: SMALL_TALK.has(level) ? undefined : `${context}${text}`, connected };
}

/** Takes pieces of text and gives whole lines. */
export class Lines {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    // A line without an end is bounded, too: a broken engine may write one for ever.
    this.#rest = (lines.pop() ?? '').slice(-8192);
    for (const line of lines) this.#onLine(line);
  }

  /** No more comes: what has no line end is a line as well. */
  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}

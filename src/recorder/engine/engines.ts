import type { Engine } from './engine.js';
import { FfmpegEngine } from './ffmpeg/ffmpeg-engine.js';

/** Makes the engine that spec.recorder.engine names. Throws for an unknown name. */
export function createEngine(name: string, options: Readonly<Record<string, string>>, scratchPath: string): Engine {
  if (name !== 'ffmpeg') throw new Error(`unknown engine '${name}': spec.recorder.engine must be ffmpeg`);
  const { ffmpegPath } = options;
  return new FfmpegEngine({ scratchPath, ...(ffmpegPath === undefined ? {} : { ffmpegPath }) });
}

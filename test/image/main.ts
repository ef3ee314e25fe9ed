// `tsx test/image/main.ts` builds the image and prints where it is, as JSON.
import { buildImage } from './build.js';

const started = performance.now();
const image = await buildImage({ onProgress: (line) => console.error(line) });
console.error(`Image ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
console.log(JSON.stringify(image, null, 2));

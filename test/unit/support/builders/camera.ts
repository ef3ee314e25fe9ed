import type { CameraView } from '../../../../src/failover/types.js';

export class CameraBuilder {
  #view: CameraView;

  constructor(name: string) {
    this.#view = { name, spec: { serverRef: { name: 'a' }, source: { type: 'IP' }, priority: 'Normal' } };
  }

  of(server: string): this {
    return this.#change({ serverRef: { name: server } });
  }

  analog(): this {
    return this.#change({ source: { type: 'Analog' } });
  }

  priority(priority: CameraView['spec']['priority']): this {
    return this.#change({ priority });
  }

  boundTo(role: string, server: string, epoch: number): this {
    const startTime = '2026-01-02T03:00:00Z';
    this.#view = { ...this.#view, boundTo: { role, server, epoch, startTime } };
    return this;
  }

  #change(change: Partial<CameraView['spec']>): this {
    this.#view = { ...this.#view, spec: { ...this.#view.spec, ...change } };
    return this;
  }

  build(): CameraView {
    return this.#view;
  }
}

/** An IP camera of server `a`. */
export function camera(name: string): CameraBuilder {
  return new CameraBuilder(name);
}

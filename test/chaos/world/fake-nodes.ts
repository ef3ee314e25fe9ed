// Nodes that nobody runs: on a bare control plane they are what a cordon, which is a field of theirs, needs.
import { childNames } from '../../../src/crds/index.js';
import { type KubeClient, type KubeObject, type ResourceType, resources } from '../../../src/operator/index.js';

/** Node objects of one namespace under test, a server on each. Nodes belong to the cluster, so they have to be removed. */
export class FakeNodes {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #made = new Set<string>();

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** Makes the node of a server and binds its pod to it, as the scheduler would. The pod must be there. */
  async place(server: string): Promise<void> {
    const name = this.#nameOf(server);
    await this.#client.create(resources.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    this.#made.add(name);
    const pod = childNames.pod(server);
    await this.#client.create(bindingOf(pod), {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod, namespace: this.#namespace },
      target: { apiVersion: 'v1', kind: 'Node', name },
    } as KubeObject);
  }

  async cordon(server: string, unschedulable: boolean): Promise<void> {
    await this.#client.patch(resources.nodes, { name: this.#nameOf(server) }, { spec: { unschedulable } });
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#made].map((name) => this.#client.delete(resources.nodes, { name })));
    this.#made.clear();
  }

  #nameOf(server: string): string {
    return `${this.#namespace}-${server}`;
  }
}

/** The subresource that a scheduler posts to. */
function bindingOf(pod: string): ResourceType {
  return { ...resources.pods, plural: `pods/${pod}/binding`, kind: 'Binding' };
}

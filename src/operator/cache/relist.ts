/**
 * A checking list beside a running watch. Versions are opaque, so it can't tell which side is newer; instead, a key
 * counts as missed only if it differed and the watch said nothing about it from the list's start to the grace's end.
 */
export class Relist {
  readonly #touched = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #suspects = new Set<string>();

  /** The watch delivered something about this key. */
  touch(key: string): void {
    this.#touched.add(key);
  }

  /** The list holds `version` of the key; the store holds `held`. */
  saw(key: string, version: string, held: string | undefined): void {
    this.#seen.add(key);
    if (held !== version) this.#suspects.add(key);
  }

  /** The list is complete: what the store holds beyond it should have been deleted. */
  finish(held: Iterable<string>): void {
    for (const key of held) if (!this.#seen.has(key)) this.#suspects.add(key);
  }

  /** The keys whose change the watch has not delivered. */
  missed(): string[] {
    return [...this.#suspects].filter((key) => !this.#touched.has(key));
  }
}

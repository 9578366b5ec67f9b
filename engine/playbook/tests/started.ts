import type { Playbook, Release } from '../types.ts';

/** The playbooks of these names in the order of the language, and all that they start. */
export function withStarted(release: Release, names: ReadonlySet<string>): readonly Playbook[] {
  return release.playbooks.filter(({ name }) => names.has(name));
}

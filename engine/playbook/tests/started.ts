import type { Playbook, Release } from '../types.ts';

function startedBy({ steps }: Playbook): readonly string[] {
  return [...steps.values()].flatMap((step) => (step.kind === 'start' ? [step.playbook] : []));
}

/** The playbooks of these names in the order of the language, and all that they start, and that these start. */
export function withStarted(release: Release, names: ReadonlySet<string>): readonly Playbook[] {
  const found = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const playbook = release.byName.get(name);
    if (playbook === undefined || found.has(name)) continue;
    found.add(name);
    open.push(...startedBy(playbook));
  }
  return release.playbooks.filter(({ name }) => found.has(name));
}

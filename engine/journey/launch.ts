/** When a launch starts a playbook. */
import { addDuration, negate } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Company, Launch, Playbook } from '../playbook/types.ts';

/**
 * The instant at which a playbook asks its audience about a launch: `public_at` less `before`, in calendar units of
 * the company's zone. Null when the playbook has nothing to do with the launch.
 */
export function launchInstant(playbook: Playbook, launch: Launch, company: Company): Instant | null {
  const { trigger } = playbook;
  if (trigger.kind !== 'launch') return null;
  if (trigger.launch !== 'any' && trigger.launch !== launch.name) return null;
  return trigger.before === null ? launch.publicAt : addDuration(launch.publicAt, negate(trigger.before), company.zone);
}

/** How a launch is known in sets of those already taken. */
export function launchKey(playbook: string, launch: string): string {
  return `${playbook}/${launch}`;
}

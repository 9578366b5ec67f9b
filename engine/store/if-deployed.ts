/** What would hold if a release were deployed now: the same consequences as in a deployment, in memory. */
import { launchInstant } from '../journey/launch.ts';
import type { Context, CustomerState, Enrolment, Send } from '../journey/types.ts';
import { carryStep } from '../playbook/identity.ts';
import type { Playbook, Release } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { keepsRule } from './release-playbooks.ts';

/** What decides under a release, and how it finds the customers. */
export interface Supposed {
  readonly ctx: Context;
  /** A customer as the deployment would leave it. */
  stateOf(state: CustomerState): CustomerState;
  /** A mail of theirs as the deployment would leave it. */
  sendOf(send: Send): Send;
}

interface PlaybookRow extends Record<string, unknown> {
  readonly name: string;
  readonly triggerHash: string;
  readonly live: boolean;
}

interface RunRow extends Record<string, unknown> {
  readonly playbook: string;
  readonly launch: string;
  readonly due_at: Instant;
  readonly status: 'planned' | 'running' | 'done';
}

/** The release that runs, as it is. */
export function asDeployed(ctx: StoreContext): Supposed {
  return { ctx, stateOf: (state) => state, sendOf: (send) => send };
}

/** Another one, as release-playbooks.ts would bring it in. `until`: launches after that do not matter. */
export async function ifDeployed(
  tx: Queryable,
  ctx: StoreContext,
  release: Release,
  until: Instant,
): Promise<Supposed> {
  const { rows } = await tx.query<PlaybookRow>(`select name, trigger_hash as "triggerHash", live from playbooks`);
  const before = new Map(rows.map((row) => [row.name, row]));
  const isLive = (name: string): boolean => before.get(name)?.live === true;
  const goOn = new Set(
    release.playbooks
      .filter((playbook) => keepsRule(before.get(playbook.name), playbook))
      .map((playbook) => playbook.name),
  );
  const launches = await launchesOf(tx, release, ctx.now, until);
  const moved = movesOf(ctx, release);
  return {
    ctx: {
      ...ctx,
      release,
      playbookOf: (name, version) => {
        const playbook = release.byName.get(name);
        return playbook?.version === version ? playbook : ctx.playbookOf(name, version);
      },
      armedFrom: (name) => (goOn.has(name) ? ctx.armedFrom(name) : ctx.now),
    },
    stateOf: (state) => ({
      ...state,
      enrolments: state.enrolments.map((enrolment) => moved.enrolment(enrolment)),
      sends: state.sends.map((send) => moved.send(send)),
      // What came due while a playbook was away starts nothing.
      timers: new Map([...state.timers].filter(([name]) => isLive(name))),
      launchesDue: launches.of(state),
    }),
    sendOf: (send) => moved.send(send),
  };
}

/** `in_flight: move` of the playbooks that the release changes: see onward.ts, which says when a deployment refuses it. */
function movesOf(ctx: StoreContext, release: Release): { enrolment(of: Enrolment): Enrolment; send(of: Send): Send } {
  const into = (name: string): Playbook | null => {
    const next = release.byName.get(name);
    if (next?.inFlight !== 'move' || ctx.release.byName.get(name)?.version === next.version) return null;
    return next;
  };
  const nameIn = (next: Playbook, step: string): string =>
    carryStep(ctx.release.byName.get(next.name) ?? null, next, step);
  return {
    enrolment: (enrolment) => {
      const next = into(enrolment.playbook);
      const { position } = enrolment;
      if (next === null || position.on === 'ended') return enrolment;
      const step = nameIn(next, position.step);
      // Nobody can be moved there: such a release would be refused. They finish what they started with.
      if (!next.steps.has(step)) return enrolment;
      return { ...enrolment, version: next.version, position: { ...position, step } };
    },
    send: (send) => {
      const next = into(send.playbook);
      const step = next === null ? send.step : nameIn(next, send.step);
      return next === null || !next.steps.has(step) ? send : { ...send, step };
    },
  };
}

async function launchesOf(
  tx: Queryable,
  release: Release,
  now: Instant,
  until: Instant,
): Promise<{ of(state: CustomerState): CustomerState['launchesDue'] }> {
  const { rows } = await tx.query<RunRow>(
    `select p.name as playbook, r.launch, r.due_at, r.status from runs r join playbooks p on p.id = r.playbook_id
     where r.kind = 'launch'`,
  );
  const keyOf = (run: { readonly playbook: string; readonly launch: string; readonly at: Instant }): string =>
    `${run.playbook}/${run.launch}/${run.at}`;
  const instants = release.playbooks.flatMap((playbook) =>
    [...release.launches.values()].flatMap((launch) => {
      const at = launchInstant(playbook, launch, release.company);
      return at === null ? [] : [{ playbook: playbook.name, launch: launch.name, at }];
    }),
  );
  const wanted = new Set(instants.map(keyOf));
  const known = new Set(rows.map((row) => keyOf({ ...row, at: row.due_at })));
  const takenBack = new Set(
    rows
      .filter((row) => row.status === 'planned' || (row.status === 'running' && !release.byName.has(row.playbook)))
      .map((row) => keyOf({ ...row, at: row.due_at }))
      .filter((key) => !wanted.has(key)),
  );
  const fresh = instants.filter((run) => run.at >= now && run.at < until && !known.has(keyOf(run)));
  return {
    of: ({ launchesDue }) =>
      [...launchesDue.filter((run) => !takenBack.has(keyOf(run))), ...fresh].sort((a, b) => a.at - b.at),
  };
}

/** Faults that a mail server has in store, each once: a conversation that comes to the stage of the next one has it. */
import type { Concerned, Fault, Stage } from './smtp-sink.ts';

/** A fault to come. */
export interface PlannedFault {
  /** In words that no other reply has, if it replies. */
  readonly id: string;
  readonly stage: Stage;
  readonly fault: Fault;
  /** So many conversations pass the stage before, counted from the fault before it there. */
  readonly after: number;
}

/** A fault that somebody had. */
export interface Stroke {
  readonly id: string;
  readonly stage: Stage;
  readonly fault: Fault;
  /** As far as the server had been told. */
  readonly to: readonly string[];
  readonly messageId: string | null;
}

/** The faults that are left, and those that were. */
export interface FaultPlan {
  readonly fault: (stage: Stage, turn: number, connection: number, concerned: Concerned) => Fault | null;
  readonly strokes: readonly Stroke[];
}

/** Opens a plan; the faults of each stage come in their order. */
export function openPlan(planned: readonly PlannedFault[]): FaultPlan {
  const waiting = new Map<Stage, PlannedFault[]>();
  for (const one of planned) waiting.set(one.stage, [...(waiting.get(one.stage) ?? []), one]);
  const passed = new Map<Stage, number>();
  const strokes: Stroke[] = [];
  return {
    strokes,
    fault: (stage, _turn, _connection, { to, messageId }) => {
      const next = waiting.get(stage)?.[0];
      if (next === undefined) return null;
      const count = passed.get(stage) ?? 0;
      passed.set(stage, count < next.after ? count + 1 : 0);
      if (count < next.after) return null;
      waiting.get(stage)?.shift();
      strokes.push({ id: next.id, stage, fault: next.fault, to: [...to], messageId });
      return next.fault;
    },
  };
}

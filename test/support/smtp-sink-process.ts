/** The main file of `spawnSink`: a sink that answers its parent until that goes away. */
import { openPlan } from './fault-plan.ts';
import { type Question, type SpawnedSinkOptions, startSink } from './smtp-sink.ts';

const { options, port } = JSON.parse(process.argv[2] ?? '{}') as { options: SpawnedSinkOptions; port: number };
const { plan: planned, ...others } = options;
const plan = planned === undefined ? null : openPlan(planned);
const sink = await startSink(plan === null ? others : { ...others, fault: plan.fault }, port);
process.on('message', ({ id, what }: { readonly id: number; readonly what: Question }) => {
  void answer(what).then((given) => process.send?.({ id, answer: given }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: sink.port });

async function answer(what: Question): Promise<unknown> {
  const { taken, cuts, underWay, stalled } = sink;
  switch (what.kind) {
    case 'taken':
      return taken;
    case 'standing':
      return { takenCount: taken.length, cuts, underWay, stalled };
    case 'strokes':
      return plan?.strokes ?? [];
    case 'refuse':
      return sink.refuseFor(what.ms);
  }
}

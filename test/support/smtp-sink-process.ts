/** The main file of `spawnSink`: a sink that answers its parent until that goes away. */
import { type SinkOptions, startSink } from './smtp-sink.ts';

const { options, port } = JSON.parse(process.argv[2] ?? '{}') as { options: SinkOptions; port: number };
const sink = await startSink(options, port);
process.on('message', ({ id, what }: { readonly id: number; readonly what: 'taken' | 'standing' }) => {
  const { taken, cuts, underWay } = sink;
  process.send?.({ id, answer: what === 'taken' ? taken : { takenCount: taken.length, cuts, underWay } });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: sink.port });

// Loaded before the program: its clock is wrong by CHAOS_CLOCK_MS, as on a machine whose time nobody keeps.
import process from 'node:process';

const Right = Date;
const offsetMs = Number(process.env.CHAOS_CLOCK_MS);

globalThis.Date = class extends Right {
  constructor(...args) {
    super(...(args.length === 0 ? [Right.now() + offsetMs] : args));
  }

  static now() {
    return Right.now() + offsetMs;
  }
};

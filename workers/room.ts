/** Room for so many at a time. */

/** Who enters must leave. */
export interface Room {
  /** Resolves when there is a place, to the first who came first. */
  enter(): Promise<void>;
  leave(): void;
}

/** Opens a room with so many places, from 1. */
export function openRoom(places: number): Room {
  const waiting: (() => void)[] = [];
  let free = places;
  return {
    enter: async () => {
      if (free > 0) {
        free -= 1;
        return;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    leave: () => {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}

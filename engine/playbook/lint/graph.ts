/** Circles in a directed graph whose nodes are names. */

/** From one node to another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

function neighbours(arrows: readonly Arrow[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { from, to } of arrows) {
    const known = found.get(from);
    if (known === undefined) found.set(from, [to]);
    else known.push(to);
  }
  return found;
}

/** A visit of a depth-first walk: which node, and how many of its neighbours have been looked at. */
interface Visit {
  readonly node: string;
  next: number;
}

/**
 * The groups of nodes that lie on circles together, by the name of their first node.
 * Source: R. Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion.
 */
export function stronglyConnected(arrows: readonly Arrow[]): readonly ReadonlySet<string>[] {
  const ways = neighbours(arrows);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const groups: ReadonlySet<string>[] = [];
  const lower = (node: string, to: number): void => void lowest.set(node, Math.min(lowest.get(node) ?? to, to));
  const enter = (path: Visit[], node: string): void => {
    order.set(node, order.size);
    lower(node, order.size - 1);
    open.push(node);
    path.push({ node, next: 0 });
  };
  const leave = (node: string): void => {
    if (lowest.get(node) !== order.get(node)) return;
    const group = new Set(open.splice(open.indexOf(node)));
    for (const member of group) closed.add(member);
    if (group.size > 1 || (ways.get(node) ?? []).includes(node)) groups.push(group);
  };
  const closed = new Set<string>();
  for (const start of ways.keys()) {
    if (order.has(start)) continue;
    const path: Visit[] = [];
    enter(path, start);
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const to = ways.get(visit.node)?.[visit.next++];
      if (to === undefined) {
        path.pop();
        leave(visit.node);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, lowest.get(visit.node) ?? 0);
      } else if (!order.has(to)) enter(path, to);
      else if (!closed.has(to)) lower(visit.node, order.get(to) ?? 0);
    }
  }
  return groups;
}

/** A shortest circle through the first node by name that lies on one; empty where there is none. */
export function shortestCircle<A extends Arrow>(arrows: readonly A[]): readonly A[] {
  for (const start of [...new Set(arrows.map(({ from }) => from))].sort()) {
    const came = new Map<string, A>();
    const queue = [start];
    for (let node = queue.shift(); node !== undefined && !came.has(start); node = queue.shift()) {
      for (const arrow of arrows.filter(({ from }) => from === node)) {
        if (came.has(arrow.to)) continue;
        came.set(arrow.to, arrow);
        queue.push(arrow.to);
      }
    }
    const circle: A[] = [];
    for (let arrow = came.get(start); arrow !== undefined; arrow = came.get(arrow.from)) {
      circle.unshift(arrow);
      if (arrow.from === start) return circle;
    }
  }
  return [];
}

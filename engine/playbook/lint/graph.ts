/** Circles in a directed graph whose nodes are names. */

/** From one node to another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

function neighbours(arrows: readonly Arrow[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { from, to } of arrows) push(found, from, to);
  return found;
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [item]);
  else known.push(item);
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
  const from = new Map<string, A[]>();
  for (const arrow of arrows) push(from, arrow.from, arrow);
  for (const start of [...from.keys()].sort()) {
    const came = arrivals(start, from);
    const circle: A[] = [];
    for (let arrow = came.get(start); arrow !== undefined; arrow = came.get(arrow.from)) {
      circle.unshift(arrow);
      if (arrow.from === start) return circle;
    }
  }
  return [];
}

/** By which arrow each node is reached first from `start`, breadth first. */
function arrivals<A extends Arrow>(start: string, from: ReadonlyMap<string, readonly A[]>): ReadonlyMap<string, A> {
  const came = new Map<string, A>();
  const open = [start];
  for (const node of open) {
    for (const arrow of from.get(node) ?? []) {
      if (came.has(arrow.to)) continue;
      came.set(arrow.to, arrow);
      open.push(arrow.to);
    }
    if (came.has(start)) break;
  }
  return came;
}

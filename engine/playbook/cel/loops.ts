import type { Scope } from '../types.ts';
import { type Checked, type Checking, fail, type Local, type Run } from './context.ts';
import type { Expression } from './syntax.ts';
import { ANY, BOOLEAN, describeType, mayBe, type ValueType } from './type.ts';

/** CEL's macros over lists. */
export const LOOPS = ['exists', 'exists_one', 'all', 'filter', 'map'] as const;
type Loop = (typeof LOOPS)[number];

/** Whether a method's name is one of CEL's macros over lists. */
export function isLoop(name: string): name is Loop {
  return (LOOPS as readonly string[]).includes(name);
}

type Each = (scope: Scope, locals: unknown[], item: unknown) => unknown;

/** A missing list is null (`filter`, `map`) or has nothing in it (the others), so `all` of it is true only if it is there. */
function looped(loop: Loop, list: Run, each: Each): Run {
  const over = (found: (items: readonly unknown[], test: (item: unknown) => boolean) => unknown): Run => {
    return (scope, locals) => {
      const items = list(scope, locals);
      return Array.isArray(items) ? found(items, (item) => each(scope, locals, item) === true) : null;
    };
  };
  switch (loop) {
    case 'exists':
      return over((items, test) => items.some(test));
    case 'exists_one':
      return over((items, test) => items.filter(test).length === 1);
    case 'all':
      return over((items, test) => items.every(test));
    case 'filter':
      return over((items, test) => items.filter(test));
    case 'map':
      return (scope, locals) => {
        const items = list(scope, locals);
        return Array.isArray(items) ? items.map((item) => each(scope, locals, item) ?? null) : null;
      };
  }
}

/** Checks the body with its variable in sight; a variable of the same name further out is hidden. */
function checkBody(
  checking: Checking,
  name: string,
  type: ValueType,
  body: Expression,
): { readonly body: Checked; readonly local: Local } {
  const hidden = checking.locals.get(name);
  const local: Local = { index: checking.localCount++, type };
  checking.locals.set(name, local);
  const checked = checking.check(body);
  if (hidden === undefined) checking.locals.delete(name);
  else checking.locals.set(name, hidden);
  return { body: checked, local };
}

/** Checks `list.exists(x, …)` and its kin. */
export function checkLoop(checking: Checking, node: Expression & { op: 'method' }, loop: Loop): Checked {
  const list = checking.check(node.on);
  const [variable, inner] = node.args;
  if (node.args.length !== 2 || variable?.op !== 'name' || inner === undefined) {
    return fail(
      checking,
      node.start,
      'cel-type',
      `\`${loop}\` takes a name and an expression, such as customer.tags.${loop}(tag, tag.startsWith("vip"))`,
    );
  }
  if (!mayBe(list.type, 'list')) {
    return fail(
      checking,
      node.on.start,
      'cel-type',
      `\`${loop}\` goes over a list, not over ${describeType(list.type)}`,
    );
  }
  const { body, local } = checkBody(checking, variable.name, list.type.kind === 'list' ? list.type.of : ANY, inner);
  if (loop !== 'map' && !mayBe(body.type, 'boolean')) {
    return fail(
      checking,
      inner.start,
      'cel-type',
      `\`${loop}\` needs true or false here, not ${describeType(body.type)}`,
    );
  }
  const each: Each = (scope, locals, item) => {
    locals[local.index] = item;
    return body.run(scope, locals);
  };
  const type = loop === 'map' ? ({ kind: 'list', of: body.type } as const) : loop === 'filter' ? list.type : BOOLEAN;
  return { type, run: looped(loop, list.run, each) };
}

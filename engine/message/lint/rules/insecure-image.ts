import { valueStart } from '../page.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

const ATTRIBUTES = ['src', 'srcset', 'background', 'poster'] as const;

function* find({ page }: LintedMail): Generator<MailFinding> {
  const fix = 'write https:// instead, and see that the server answers there';
  for (const element of page.elements) {
    for (const name of ATTRIBUTES) {
      if (!/(?:^|[\s,])http:\/\//i.test(element.attribs[name] ?? '')) continue;
      yield { at: valueStart(page, element, name), message: 'this image comes over http, without encryption', fix };
    }
  }
  for (const { index } of page.html.matchAll(/url\(\s*["']?http:\/\//gi)) {
    yield { at: index, message: 'this image comes over http, without encryption', fix };
  }
}

/** Images that come unencrypted. */
export const insecureImage: MailRule = {
  code: 'insecure-image',
  level: 'warning',
  reason: 'Programs refuse images without encryption or warn of them, and others can read along.',
  find,
};

/** The texts of a new company folder that depend on its name. Pure. */
import { parseDocument } from 'yaml';

/** Longest name of a company, in characters. */
export const MAX_NAME_LENGTH = 100;

/** The starter's `perennial.yaml` with the company's name and zone put in; its comments stay. */
export function companyYaml(starter: string, name: string, timezone: string): string {
  const document = parseDocument(starter);
  document.setIn(['company', 'name'], name);
  document.setIn(['mail', 'from'], `${displayName(name)} <hello@company.example>`);
  document.setIn(['defaults', 'timezone'], timezone);
  return document.toString({ lineWidth: 0, singleQuote: true });
}

/** A name as it may stand before an address: quoted when it holds more than words (RFC 5322, section 3.2.5). */
function displayName(name: string): string {
  const needsQuotes = /[()<>[\]:;@\\,."]/.test(name);
  return needsQuotes ? `"${name.replace(/["\\]/g, String.raw`\$&`)}"` : name;
}

/** What is wrong with a name; null when nothing is. */
export function nameProblem(name: string): string | null {
  if (name.trim() === '') return 'the name is empty';
  if (name.length > MAX_NAME_LENGTH) return `the name is longer than ${MAX_NAME_LENGTH} characters`;
  return /\p{Cc}/u.test(name) ? 'the name holds a line break or another control character' : null;
}

/** What git should not keep: the embedded parts' data, and secrets. */
export const GITIGNORE = '.perennial/\n.env\n';

/** The README of a new company folder. */
export function readme(name: string): string {
  return `# ${name}: playbooks

\`perennial.yaml\` says who the company is and what it knows of its customers, \`playbooks/\` what is sent to whom and
when, and \`templates/\` how it looks. Put your own address and web site into \`perennial.yaml\` before anything else.

Six commands to begin with, in this folder:

\`\`\`sh
perennial check           # is everything right? If not: what, where, and what to do
perennial test            # do the playbooks still do what their tests say? Tests are playbooks/NAME.test.yaml
perennial sample          # made-up customers and the past year of their orders, under .perennial/sample
perennial simulate --customers .perennial/sample/customers.jsonl --events .perennial/sample/events.jsonl \\
  --from FROM --until UNTIL    # with the times that sample printed: who would get what, and when; nothing is sent
perennial start           # the engine, with a local inbox: no mail leaves this machine
perennial inbox           # in a second terminal: the mails so far
\`\`\`

Without \`perennial\` on your path, run \`npm run perennial -- check --project THIS_FOLDER\` in its checkout, or
\`npm link\` there once.

## To change something

- A new playbook is a new file in \`playbooks/\`. Editors that know \`yaml-language-server\` complete it and explain each
  key: the first line of each file names its schema in \`schemas/\`.
- A mail is a file in \`templates/\`: its subject and preheader at the top, then HTML. What all mails share is in
  \`templates/layouts/\` and \`templates/partials/\`.
- Colours: search the templates for \`#2F4639\` (buttons and hero panels) and \`#A8482A\` (accents).
`;
}

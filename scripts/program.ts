/** The whole command line, put together and not yet run. */
import { Command } from 'commander';

interface Group {
  /** As the help shows it. */
  readonly heading: string;
  /** By the first word of the command line. */
  readonly commands: Readonly<Record<string, (version: string) => Promise<Command>>>;
}

/** Each in its module, loaded when it is needed: all of them together take longer to load than most take to run. */
const GROUPS: readonly Group[] = [
  {
    heading: 'Playbooks:',
    commands: {
      init: async () => (await import('./init.ts')).initCommand(),
      check: async () => (await import('./check.ts')).checkCommand(),
      test: async () => (await import('./test.ts')).testCommand(),
      schema: async () => (await import('./schema.ts')).schemaCommand(),
      simulate: async () => (await import('./simulate.ts')).simulateCommand(),
    },
  },
  {
    heading: 'Mails:',
    commands: {
      preview: async () => (await import('./preview.ts')).previewCommand(),
      'send-test': async () => (await import('./send-test.ts')).sendTestCommand(),
    },
  },
  {
    heading: 'Releases:',
    commands: {
      plan: async () => (await import('./plan.ts')).planCommand(),
      deploy: async () => (await import('./deploy.ts')).deployCommand(),
      releases: async () => (await import('./releases.ts')).releasesCommand(),
      rollback: async () => (await import('./rollback.ts')).rollbackCommand(),
    },
  },
  {
    heading: 'Running:',
    commands: {
      start: async (version) => (await import('./start.ts')).startCommand(version),
      work: async (version) => (await import('./start.ts')).workCommand(version),
      migrate: async () => (await import('./migrate.ts')).migrateCommand(),
      demo: async () => (await import('./demo.ts')).demoCommand(),
    },
  },
  {
    heading: 'Backups:',
    commands: {
      backup: async () => (await import('./backup.ts')).backupCommand(),
      restore: async () => (await import('./restore.ts')).restoreCommand(),
      recovered: async () => (await import('./recovered.ts')).recoveredCommand(),
      move: async () => (await import('./move.ts')).moveCommand(),
    },
  },
  {
    heading: 'Support:',
    commands: {
      trigger: async () => (await import('./trigger.ts')).triggerCommand(),
      customer: async () => (await import('./customer.ts')).customerCommand(),
      why: async () => (await import('./why.ts')).whyCommand(),
      cancel: async () => (await import('./cancel.ts')).cancelCommand(),
      pause: async () => (await import('./pause.ts')).pauseCommand(),
      resume: async () => (await import('./pause.ts')).resumeCommand(),
      pace: async () => (await import('./pace.ts')).paceCommand(),
      suppress: async () => (await import('./suppress.ts')).suppressCommand(),
      unsuppress: async () => (await import('./unsuppress.ts')).unsuppressCommand(),
      suppressions: async () => (await import('./suppressions.ts')).suppressionsCommand(),
      export: async () => (await import('./export.ts')).exportCommand(),
      forget: async () => (await import('./forget.ts')).forgetCommand(),
      held: async () => (await import('./held.ts')).heldCommand(),
      unknown: async () => (await import('./unknown.ts')).unknownCommand(),
      tasks: async () => (await import('./tasks.ts')).tasksCommand(),
      task: async () => (await import('./tasks.ts')).taskCommand(),
    },
  },
  {
    heading: 'Sending domain:',
    commands: {
      doctor: async () => (await import('./doctor.ts')).doctorCommand(),
      dkim: async () => (await import('./dkim.ts')).dkimCommand(),
      keys: async () => (await import('./keys.ts')).keysCommand(),
    },
  },
  {
    heading: 'Data and mail:',
    commands: {
      import: async () => (await import('./import.ts')).importCommand(),
      coupons: async () => (await import('./coupons.ts')).couponsCommand(),
      sample: async () => (await import('./sample.ts')).sampleCommand(),
      inbox: async () => (await import('./inbox.ts')).inboxCommand(),
      bounces: async () => (await import('./bounces.ts')).bouncesCommand(),
      feedback: async () => (await import('./feedback.ts')).feedbackCommand(),
    },
  },
];

/**
 * The program `perennial`, with all of its commands, or with the one that `word` names.
 * @param word the first word of the command line; any other than a command's name gives all of them.
 */
export async function perennialProgram(version: string, word?: string): Promise<Command> {
  const program = new Command('perennial')
    .description("Keeps the conversation with a company's customers alive after the sale.")
    .version(version)
    .helpCommand(false)
    .showHelpAfterError('(--help shows how it is used)');
  const isKnown = GROUPS.some(({ commands }) => word !== undefined && Object.hasOwn(commands, word));
  for (const { heading, commands } of GROUPS) {
    for (const [name, load] of Object.entries(commands)) {
      if (!isKnown || name === word) program.addCommand((await load(version)).helpGroup(heading));
    }
  }
  return program;
}

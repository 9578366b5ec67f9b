/** The whole command line, put together and not yet run. */
import { Command } from 'commander';
import { bouncesCommand } from './bounces.ts';
import { cancelCommand } from './cancel.ts';
import { couponsCommand } from './coupons.ts';
import { checkCommand } from './check.ts';
import { customerCommand } from './customer.ts';
import { demoCommand } from './demo.ts';
import { deployCommand } from './deploy.ts';
import { dkimCommand } from './dkim.ts';
import { doctorCommand } from './doctor.ts';
import { feedbackCommand } from './feedback.ts';
import { exportCommand } from './export.ts';
import { forgetCommand } from './forget.ts';
import { heldCommand } from './held.ts';
import { importCommand } from './import.ts';
import { inboxCommand } from './inbox.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { paceCommand } from './pace.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { planCommand } from './plan.ts';
import { previewCommand } from './preview.ts';
import { releasesCommand } from './releases.ts';
import { rollbackCommand } from './rollback.ts';
import { sampleCommand } from './sample.ts';
import { schemaCommand } from './schema.ts';
import { sendTestCommand } from './send-test.ts';
import { simulateCommand } from './simulate.ts';
import { taskCommand, tasksCommand } from './tasks.ts';
import { startCommand, workCommand } from './start.ts';
import { suppressCommand } from './suppress.ts';
import { suppressionsCommand } from './suppressions.ts';
import { testCommand } from './test.ts';
import { triggerCommand } from './trigger.ts';
import { unsuppressCommand } from './unsuppress.ts';
import { whyCommand } from './why.ts';

/** The program `perennial` with all of its commands. */
export function perennialProgram(version: string): Command {
  const program = new Command('perennial')
    .description("Keeps the conversation with a company's customers alive after the sale.")
    .version(version)
    .helpCommand(false)
    .showHelpAfterError('(--help shows how it is used)');
  const groups: readonly [string, readonly Command[]][] = [
    ['Playbooks:', [initCommand(), checkCommand(), testCommand(), schemaCommand(), simulateCommand()]],
    ['Mails:', [previewCommand(), sendTestCommand()]],
    ['Releases:', [planCommand(), deployCommand(), releasesCommand(), rollbackCommand()]],
    ['Running:', [startCommand(), workCommand(), migrateCommand(), demoCommand()]],
    [
      'Support:',
      [
        triggerCommand(),
        customerCommand(),
        whyCommand(),
        cancelCommand(),
        pauseCommand(),
        resumeCommand(),
        paceCommand(),
        suppressCommand(),
        unsuppressCommand(),
        suppressionsCommand(),
        exportCommand(),
        forgetCommand(),
        heldCommand(),
        tasksCommand(),
        taskCommand(),
      ],
    ],
    ['Sending domain:', [doctorCommand(), dkimCommand(), keysCommand()]],
    [
      'Data and mail:',
      [importCommand(), couponsCommand(), sampleCommand(), inboxCommand(), bouncesCommand(), feedbackCommand()],
    ],
  ];
  for (const [heading, commands] of groups) {
    for (const command of commands) program.addCommand(command.helpGroup(heading));
  }
  return program;
}

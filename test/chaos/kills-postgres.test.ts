import { killing } from './killing.ts';

killing('PostgreSQL', null);

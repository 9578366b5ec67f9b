/** Why the database cannot be used at all, for people: none of it is a bug, and a stack helps nobody. */
import { isNativeError } from 'node:util/types';

/** Codes of sockets, and of PostgreSQL while a session begins (its appendix A), with what to look at. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the server running, and is the port right?',
  ENOTFOUND: 'there is no such host: is its name right?',
  EAI_AGAIN: 'its name cannot be looked up at present.',
  EHOSTUNREACH: 'there is no way to that host.',
  ETIMEDOUT: 'it does not answer: is there a firewall between?',
  ECONNRESET: 'it broke the connection: does it want TLS (sslmode=require)?',
  '28P01': 'it refuses the password.',
  '28000': 'it refuses this user.',
  '3D000': 'it has no database of that name: create it first.',
  '42501': 'this user may not do that: it must own the tables and be allowed to make some.',
  '53300': 'it has no connection left: raise max_connections, or run fewer processes.',
  '57P03': 'it is starting or stopping: try again in a moment.',
};

/** One line about it and what to do; null when the error is another one. `setting`: what names that database. */
export function databaseAway(error: unknown, setting = 'DATABASE_URL'): string | null {
  if (!isNativeError(error) || !('code' in error) || typeof error.code !== 'string') return null;
  const reason = REASONS[error.code];
  // With several addresses for one name, Node gives an error without words.
  const words = error.message === '' ? error.code : error.message;
  return reason === undefined ? null : `The database cannot be used (${words}): ${reason} See ${setting}.`;
}

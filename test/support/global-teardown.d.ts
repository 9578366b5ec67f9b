/** Ends the servers that the run has started, and removes their data. */
export default function globalTeardown(): Promise<void>;

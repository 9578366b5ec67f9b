/** Makes the folder of a run (`TEST_RUN_DIR`), and a guard that clears it away whichever way the run ends. */
export default function globalSetup(): Promise<void>;

import { removeConverged } from "./converged.ts";

/** Jest's last step. VPAI_TEST_KEEP=1 keeps the converged server for the next run of the same code. */
export default async function globalTeardown(): Promise<void> {
  if (process.env["VPAI_TEST_KEEP"] !== "1") await removeConverged();
}

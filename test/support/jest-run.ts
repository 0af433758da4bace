/** Jest's first step: its workers can tell which run they belong to. */
export default function globalSetup(): void {
  process.env["VPAI_TEST_RUN"] = String(process.pid);
}

/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
  globalSetup: "<rootDir>/test/support/jest-run.ts",
  globalTeardown: "<rootDir>/test/support/remove-converged.ts",
  testSequencer: "<rootDir>/test/support/file-order.js",
  testTimeout: 30_000,
};

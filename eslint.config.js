import { readdirSync } from "node:fs";
import importX from "eslint-plugin-import-x";
import jest from "eslint-plugin-jest";
import tseslint from "typescript-eslint";

/** Forbidden imports between folders (docs/decisions/0002). */
const walls = [
  ["./components", "./stacks", "a component knows nothing of the deployment"],
  ["./components", "./ops", "a component knows nothing of the command"],
  ["./components", "./sandbox", "a component knows nothing of the sandbox"],
  ["./components", "./toolchain", "a component knows nothing of the toolchain"],
  ["./stacks", "./ops", "the program runs under the plain engine too"],
  ["./stacks", "./sandbox", "the program is the same in the sandbox and outside it"],
  ["./sandbox", "./components", "the sandbox is the other side of the wire"],
  ["./sandbox", "./stacks", "the sandbox is the other side of the wire"],
  ["./sandbox", "./ops", "the sandbox is the other side of the wire"],
  ["./toolchain", "./components", "the toolchain knows no program"],
  ["./toolchain", "./stacks", "the toolchain knows no program"],
  ["./toolchain", "./sandbox", "the toolchain knows no sandbox"],
  ["./toolchain", "./ops", "the toolchain is used by the command, not the reverse"],
  ["./stacks", "./toolchain", "the program runs under the plain engine too"],
  ["./shared", ["./components", "./stacks", "./ops", "./sandbox", "./toolchain"], "shared/ is below everything"],
  ["./test/sandbox", ["./components", "./stacks"], "a simulator is tested from its own side of the wire"],
].map(([target, from, message]) => ({ target, from, message }));

/** A service's folder is closed to every other service. */
const services = readdirSync("components/services").map((name) => ({
  target: `./components/services/${name}`,
  from: "./components/services",
  except: [`./${name}`],
  message: "a service never imports another service",
}));

const configMessage = "Only stacks/settings/load.ts reads config.";
const configReaders = [
  "MemberExpression[object.name='pulumi'][property.name='Config']",
  "ImportDeclaration[source.value=/^@pulumi.pulumi/] > ImportSpecifier[imported.name=/^(Config|runtime)$/]",
  "CallExpression[callee.property.name=/^(allConfig|getConfig)$/]",
  "Literal[value=/^PULUMI_CONFIG$/]",
].map((selector) => ({ selector, message: configMessage }));

export default tseslint.config(
  { ignores: ["node_modules/**", ".vpai/**"] },
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    plugins: { "import-x": importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      "import-x/resolver": { node: { extensions: [".ts", ".js"] } },
      // Without these the cycle rule reads no TypeScript, and finds nothing.
      "import-x/extensions": [".ts", ".js"],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
    },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones: [...walls, ...services] }],
      "import-x/no-cycle": "error",
      "no-restricted-syntax": ["error", ...configReaders],
      "no-empty": ["error", { allowEmptyCatch: false }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    // What `npm ci --omit=dev` leaves out: the sandbox's packages and the tools.
    files: ["index.ts", "{stacks,components,shared,toolchain}/**/*.ts"],
    rules: { "import-x/no-extraneous-dependencies": ["error", { devDependencies: false }] },
  },
  { files: ["stacks/settings/load.ts", "test/**"], rules: { "no-restricted-syntax": "off" } },
  { files: ["**/*.ts"], ignores: ["test/**"], rules: { "max-lines-per-function": ["error", 90] } },
  {
    files: ["test/**/*.ts"],
    plugins: { jest },
    rules: {
      // A test that never executes must not count as passed.
      "jest/valid-title": "error",
      "jest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "assert*"] }],
      "jest/no-disabled-tests": "error",
      "jest/no-focused-tests": "error",
      "jest/no-identical-title": "error",
    },
    settings: { jest: { version: 30, globalPackage: "@jest/globals" } },
  },
);

import tseslint from "typescript-eslint";

/** node:* modules may be imported in these rooms only, so that the road itself also runs in a browser. */
const nodeOnly = {
  "no-restricted-imports": [
    "error",
    {
      patterns: [
        {
          group: ["node:*", "fs", "path", "os", "child_process"],
          message: "Only src/node, src/threads and src/cli may use Node's modules.",
        },
      ],
    },
  ],
};

/** What Node has and browsers have not, where the above holds. */
const nodeGlobals = {
  "no-restricted-globals": [
    "error",
    ...["process", "Buffer", "global", "setImmediate", "__dirname", "require"].map((name) => ({
      name,
      message: "Browsers have no such thing; only src/node, src/threads and src/cli may use it.",
    })),
  ],
};

const typed = ["grammar/**/*.ts", "src/**/*.ts", "test/**/*.ts"];

/** Rooms that write JavaScript and run it: loops made for one network. */
const codeWriters = ["src/backends/**"];

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "test/fixtures/**"] },
  ...tseslint.configs.recommended,
  {
    files: typed,
    extends: tseslint.configs.recommendedTypeCheckedOnly,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A function is async where its interface says so, whether or not this one has something to wait for.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/no-explicit-any": "error",
    },
  },
  {
    files: ["grammar/**/*.ts", "src/**/*.ts"],
    ignores: ["src/node/**", "src/threads/**", "src/cli/**"],
    rules: { ...nodeOnly, ...nodeGlobals },
  },
  { files: codeWriters, rules: { "@typescript-eslint/no-implied-eval": "off" } },
);

import tseslint from "typescript-eslint";

/** node:* modules may be imported in these rooms only, so that the road itself also runs in a browser. */
const nodeOnly = {
  "no-restricted-imports": [
    "error",
    {
      patterns: [
        {
          group: ["node:*", "fs", "path", "os", "child_process"],
          message: "Only src/node and src/cli may use Node's modules.",
        },
      ],
    },
  ],
};

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "test/fixtures/**"] },
  ...tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/no-explicit-any": "error",
    },
  },
  { files: ["grammar/**/*.ts", "src/**/*.ts"], ignores: ["src/node/**", "src/cli/**"], rules: nodeOnly },
);

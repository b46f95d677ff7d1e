import tseslint from 'typescript-eslint';

/** Globals that reach the world past the ports (design: time, randomness and ids come in through the composition root). */
const worldGlobals = [
  { name: 'setTimeout', message: 'Use the Ticker port.' },
  { name: 'setInterval', message: 'Use the Ticker port.' },
  { name: 'setImmediate', message: 'Use the Ticker port.' },
  { name: 'fetch', message: 'Use ky inside an issuer or a vault.' },
];
const worldSyntax = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'Use the Clock port.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Use the Clock port.' },
  { selector: "MemberExpression[object.name='performance'][property.name='now']", message: 'Use the Clock port.' },
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: 'Use the Random port.' },
  { selector: "CallExpression[callee.name='randomUUID']", message: 'Use the Ids port.' },
  { selector: "CallExpression[callee.property.name='randomUUID']", message: 'Use the Ids port.' },
  { selector: "CallExpression[callee.property.name='hrtime']", message: 'Use the Clock port.' },
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'var/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js', '.ci/*.js', 'bin/*.js', 'test/*.mjs'] } },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', ...worldGlobals], 'no-restricted-syntax': ['error', ...worldSyntax] },
  },
  {
    // The composition root is where the ports are made of the real globals; the emulator is a program of its own.
    files: ['src/compose/**/*.ts', 'src/emulator/**/*.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-syntax': ['error', worldSyntax.at(-1)] },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/require-await': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);

/** Agents that this suite does not run, each with the reason. */
export const UNAVAILABLE: readonly { readonly name: string; readonly reason: string }[] = [
  {
    name: 'codebuff',
    reason: 'its npm package downloads the program from elsewhere at the first start; there is no rule',
  },
  { name: 'crush', reason: 'its npm package downloads the program from elsewhere as it is installed' },
  { name: 'cursor-agent, devin, forge, kiro-cli, plandex, rovodev, trae-cli', reason: 'not in the registries' },
  { name: 'goose', reason: 'not in the registries: the packages of that name are another program and a library' },
  {
    name: 'iflow, junie, kode, neovate',
    reason: 'not in npm, or they download the program from elsewhere; there is no rule',
  },
  {
    name: 'jules',
    reason: 'its npm package downloads the program from elsewhere; it works on its maker’s machines; there is no rule',
  },
  {
    name: 'claude-agent-acp',
    reason: 'an adapter, which is no agent: it starts Claude Code when an editor speaks to it',
  },
  {
    name: 'letta-code (npm)',
    reason: 'one of its dependencies is not in npm; the package from PyPI is the same program',
  },
  { name: 'llm', reason: 'it puts a question to a model; there is no rule' },
  {
    name: 'nanobot',
    reason: 'it starts a gateway beside itself, which is an agent as well: two, until it is known which one works',
  },
  { name: 'swe-agent', reason: 'the package on PyPI is a placeholder; mini-swe-agent is run' },
];

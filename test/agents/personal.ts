/** What real agents find in their homes: a person's answers to what they ask at first, and servers of tools to start. Pure. */

/** Talks to the agent in turns over its standard streams (MCP). */
export interface ToolServer {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** @returns the text of each file, by its path in the home. @param folder where the agent works. */
export function personalFiles(agent: string, folder: string, servers: readonly ToolServer[]): Record<string, string> {
  const mcpServers = Object.fromEntries(servers.map(({ name, command, args }) => [name, { command, args }]));
  switch (agent) {
    case 'codex':
      return {
        '.codex/auth.json': JSON.stringify({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-none' }),
        '.codex/config.toml': [
          'check_for_update_on_startup = false',
          `[projects.${JSON.stringify(folder)}]\ntrust_level = "trusted"`,
          ...servers.map(
            ({ name, command, args }) =>
              `[mcp_servers.${name}]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}`,
          ),
        ].join('\n'),
      };
    case 'claude-code':
      return {
        '.claude.json': JSON.stringify({
          hasCompletedOnboarding: true,
          theme: 'dark',
          customApiKeyResponses: { approved: ['sk-ant-none'], rejected: [] },
          projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
          mcpServers,
        }),
      };
    case 'gemini-cli':
      return {
        '.gemini/settings.json': JSON.stringify({
          security: { auth: { selectedType: 'gemini-api-key' } },
          general: { enableAutoUpdate: false },
          mcpServers,
        }),
      };
    default:
      throw new Error(`nobody has said how ${agent} is set up`);
  }
}

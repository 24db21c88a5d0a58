/**
 * Commands with which an agent's program does something else than be the agent: it manages what is installed, signs in,
 * lists, serves others, or shows what another process works on. They are from each program's own help, of the versions in
 * `docs/agents.md`.
 */
const words = (text: string) => text.split(' ');

/** By the agent's name. A word that is no command to the program is a prompt, and not here. */
export const COMMANDS_BESIDE: Readonly<Record<string, readonly string[]>> = {
  'claude-code': words(
    'attach auth auto-mode config doctor gateway import install kill logs migrate-installer plugin plugins purge respawn rm setup-token stop ultrareview update upgrade',
  ),
  cline: words('auth config doctor history h hook plugin schedule skill update version'),
  codex: words(
    'a apply archive cloud debug delete doctor exec-server features help login logout migrate-nfs-db migrate-rollouts plugin queue responses-api-proxy sandbox stdio-to-uds unarchive update',
  ),
  copilot: words('billing config help instruction login lsp memories plugin sandbox sessions skill update version'),
  droid: words('computer doctor find help plugin search update'),
  'gemini-cli': words('extension extensions gemma hook hooks skill skills'),
  opencode: words(
    'agent attach auth db debug export import models plug plugin providers session stats uninstall upgrade',
  ),
  'qwen-code': words('auth board extensions hooks sandbox sessions update'),
};

/** The help of agents' programs is read as each of their libraries writes it. */
import { expect, test } from 'vitest';
import { commandsInHelp, versionOptionsInHelp } from '../agents/help.ts';

const PAGES: [library: string, page: string, commands: string][] = [
  [
    'commander',
    'Options:\n  -v, --version       output the version number\n\nCommands:\n  resume [options] [sessionId]  Resume a session (shows\n                                update without an id)\n  search|find [options] <query>  Search\n  stop|kill <id>\n  daemon [options]\n\nExamples:\n  x "review app.tsx"       Start',
    'daemon find kill resume search stop',
  ],
  [
    'clap',
    'Usage: x [OPTIONS] [PROMPT]\n\nCommands:\n  exec    Run it [aliases: e]\n  help    Print this message\n\nArguments:\n  prompt  What',
    'e exec help',
  ],
  [
    'yargs',
    'Commands:\n  x mcp                   Manage servers\n  x skills <command>      Manage skills.  [aliases: skill]\n  x [query..]             Launch it  [default]\n\nPositionals:\n  query  Prompt',
    'mcp skill skills',
  ],
  [
    'typer',
    '╭─ Commands ───────╮\n│ acp         Start it over    │\n│             stdio           │\n│ go          Run it   │\n╰──────╯',
    'acp go',
  ],
  [
    'argparse',
    'positional arguments:\n  {chat,model}\n                        Command to run\n    chat     Talk',
    'chat model',
  ],
  [
    'by hand',
    'USAGE\n  x            Go on\n  x update     Update (aliases: upgrade, --upgrade)\n  x memory ...    Files',
    'memory update upgrade',
  ],
  [
    'nested',
    'Commands:\n\n  threads     [alias: t, thread] Manage threads\n    list      [alias: ls] List\n  top         Show',
    't thread threads top',
  ],
  ['none', 'usage: x [-h] [prompt]\n\noptions:\n  -h, --help   show this', ''],
];

test.each(PAGES)('the commands in a help of %s', (_, page, commands) => {
  expect(commandsInHelp(page, 'x').join(' ')).toBe(commands);
});

test.each([
  ['  -v, --version   output the version', ['-v']],
  ['  -V, --version   print it', ['-V']],
  ['  --version, -v   Show version', ['-v']],
  ['│ --version             -v      <bool>  Show version', ['-v']],
  ['  -v, --verbose   say more\n      --version   say which', []],
])('%j tells how the version is asked for', (page, options) => {
  expect(versionOptionsInHelp(page)).toEqual(options);
});

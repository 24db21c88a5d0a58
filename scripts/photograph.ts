/** Takes a picture of a page, for the pages of docs/. Needs Chromium (Debian: `chromium`). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Program, until } from '../test/support/program.ts';

interface Answer {
  readonly id?: number;
  readonly result?: { readonly data?: string; readonly result?: { readonly value?: unknown } };
}

/** What is asked and done is JavaScript in the page. */
interface Picture {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Whether the page shows what it is asked for: many ask for that after they were loaded. */
  readonly isThere: string;
  /** Clicks on what is to be open in the picture, and asks whether it is. */
  readonly open?: string;
  readonly isOpen?: string;
}

/** Whether Jaeger's page of a trace shows its spans. */
export const SPANS = "!!document.querySelector('.span-view')";

/** Opens a page in Chromium by the protocol of its own tools. @returns a PNG. */
export async function photograph(url: string, { width, height, isThere, open, isOpen }: Picture): Promise<Buffer> {
  const dir = mkdtempSync(join(tmpdir(), 'taut-chromium-'));
  using _folder = { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }) };
  const options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'];
  const own = [`--user-data-dir=${dir}`, '--remote-debugging-port=0', '--remote-allow-origins=*'];
  await using chromium = new Program('chromium', [...options, ...own, url]);
  const [port] = /(?<=127\.0\.0\.1:)\d+/.exec(await chromium.line(/DevTools listening/)) ?? [];
  const tabs = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(tabs.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  await new Promise((opened) => socket.addEventListener('open', opened));
  const answers = new Map<number, (answer: Answer) => void>();
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    answers.get(answer.id ?? 0)?.(answer);
  });
  let id = 0;
  const call = (method: string, params: object) => {
    socket.send(JSON.stringify({ id: ++id, method, params }));
    return new Promise<Answer>((answered) => answers.set(id, answered));
  };
  const evaluate = async (expression: string) => (await call('Runtime.evaluate', { expression })).result?.result?.value;
  await call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
  const shows = (what: string) => until('the page shows it', async () => (await evaluate(what)) === true);
  await shows(isThere);
  if (open !== undefined) await evaluate(open);
  if (isOpen !== undefined) await shows(isOpen);
  await setTimeout(1000); // for what moves
  const shot = await call('Page.captureScreenshot', { format: 'png' });
  socket.close();
  return Buffer.from(shot.result?.data ?? '', 'base64');
}

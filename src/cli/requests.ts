/** The requests of commands to a running daemon, each one JSON line. */
import { z } from 'zod';

export const requestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('status') }),
  z.strictObject({ op: z.literal('explain'), pid: z.int().positive() }),
  z.strictObject({
    op: z.literal('compare'),
    of: z.union([
      z.strictObject({ pid: z.int().positive(), rule: z.string().optional() }),
      z.strictObject({ argv: z.array(z.string()).readonly(), rule: z.string().optional() }),
    ]),
  }),
  z.strictObject({ op: z.literal('last'), n: z.int().positive().max(4096) }),
  z.strictObject({ op: z.literal('restore'), pids: z.array(z.int().positive()).max(1_000_000) }),
  z.strictObject({ op: z.literal('switch') }),
  z.strictObject({
    op: z.literal('adopt'),
    pid: z.int().positive(),
    startTicks: z.int(),
    command: z.array(z.string()).min(1),
    targets: z.record(z.string(), z.int().positive()),
    run: z
      .strictObject({
        traceparent: z.string().max(64),
        tracestate: z.string().max(8_192).optional(),
        id: z.string().max(256).optional(),
      })
      .optional(),
  }),
]);

export type Request = z.infer<typeof requestSchema>;

/** @throws Error for what is no request, or no JSON. */
export function understandRequest(line: string): Request {
  const request = requestSchema.safeParse(JSON.parse(line));
  if (request.success) return request.data;
  throw new Error(z.prettifyError(request.error));
}

import { open, stat } from 'node:fs/promises';

/** A write that the API server was asked for, as its audit log has it. */
export interface AuditedWrite {
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

interface AuditEvent {
  verb: string;
  user: { username: string };
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string };
}

/** Collects the writes from now on. */
export async function openAudit(path: string): Promise<{ writes(): Promise<AuditedWrite[]> }> {
  const begin = (await stat(path)).size;
  return {
    writes: async () => {
      const file = await open(path);
      try {
        const { size } = await file.stat();
        const text = Buffer.alloc(Math.max(0, size - begin));
        await file.read(text, 0, text.length, begin);
        // The last line may be half written.
        return text.toString().split('\n').slice(0, -1).map(parsed);
      } finally {
        await file.close();
      }
    },
  };
}

function parsed(line: string): AuditedWrite {
  const { verb, user, objectRef } = JSON.parse(line) as AuditEvent;
  const { resource = '', subresource, namespace = '', name = '' } = objectRef ?? {};
  return {
    user: user.username,
    verb,
    resource: subresource ? `${resource}/${subresource}` : resource,
    namespace,
    name,
  };
}

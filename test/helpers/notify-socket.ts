// A service manager's end of the notify socket: a datagram socket, which Node does not have, held by python3.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NotifySocket {
  /** For NOTIFY_SOCKET. */
  readonly path: string;
  /** The messages so far, each as its assignments. */
  readonly messages: string[][];
  close(): Promise<void>;
}

const program = `
import json, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = sys.argv[1]
listener.bind("\\0" + path[1:] if path.startswith("@") else path)
print(json.dumps([]), flush=True)
while True:
    # Descriptors that come along (BARRIER=1) are closed at once, as a manager does.
    text = listener.recv(65536).decode()
    print(json.dumps(text.strip().split("\\n")), flush=True)
`;

/** @param path a path, or a name in the abstract name space (\`@name\`); absent: a path in a new folder */
export async function openNotifySocket(path?: string): Promise<NotifySocket> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-notify-'));
  const place = path ?? join(folder, 'notify');
  const child = spawn('python3', ['-c', program, place], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const messages: string[][] = [];
  let rest = '';
  let opened: () => void = () => {};
  const bound = new Promise<void>((resolve) => {
    opened = resolve;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const assignments = JSON.parse(line) as string[];
      if (assignments.length === 0) opened();
      // What a barrier is for is not told.
      else if (assignments[0] !== 'BARRIER=1') messages.push(assignments);
    }
  });
  await bound;
  return {
    path: place,
    messages,
    async close() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

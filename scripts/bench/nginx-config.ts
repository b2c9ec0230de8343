// What the nginx that is measured and the nginx that is the backend have in common.
import { userInfo } from 'node:os';

/** The main part of a configuration: foreground, one worker, everything it writes below `home`. */
export function nginxMain(home: string): string {
  // Started by root, nginx would hand its worker to a user who may not read our folder.
  const user = process.getuid?.() === 0 ? `user ${userInfo().username};` : '';
  return `${user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${home}/nginx.pid;
events { worker_connections 8192; }`;
}

/** The folders for temporary files, which by default are the distribution's and need its user. */
export function nginxTempPaths(home: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join('\n  ');
}
